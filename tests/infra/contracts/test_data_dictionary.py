"""The page of the data dictionary is the one that the contracts make, and says where columns come from and go."""

from __future__ import annotations

from infra.written import paths
from infra.written.contracts.check import check_every_contract
from infra.written.contracts.dictionary import page

PAGE = page(*check_every_contract(paths.CONTRACTS))


def test_the_page_is_that_of_the_contracts() -> None:
    recorded = (paths.REPOSITORY / "docs" / "data-dictionary.md").read_text()
    assert recorded == PAGE, "renew it: .venv/bin/platform contract docs"


def test_every_column_has_its_class_and_where_it_comes_from_and_goes() -> None:
    silver, gold = check_every_contract(paths.CONTRACTS)
    rows = [line for line in PAGE.splitlines() if line.startswith("| `") and line.count("|") == 8]
    assert len(rows) == sum(len(contract.columns) for contract in (*silver, *gold))
    (churn_date,) = [row for row in rows if row.startswith("| `churn_date`")]
    assert churn_date == (
        "| `churn_date` | DATE | confidential | Day on which the customer left; blank while active. |  | `ChurnDate` "
        "| `gold.churn_labels.churned` |"
    )
    (segment,) = [row for row in rows if row.startswith("| `segment`")]
    assert "`gold.churn_features.internet_service`" in segment
    assert "  silver.customer -->|features| gold.churn_labels" in PAGE
