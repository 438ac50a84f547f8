"""Versions of contracts are compared by what a change means, for whom, and which version it demands."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from churn.core.faults import FaultsError
from infra.written import paths
from infra.written.contracts import __main__ as program
from infra.written.contracts.diff import Verdict, compare_with, next_version, shown, verdict
from infra.written.contracts.migrate import steps
from infra.written.contracts.strictness import Strictness, compare
from tests.golden import assert_matches

if TYPE_CHECKING:
    from collections.abc import Callable

RECORDS = Path(__file__).parent / "records"
READERS = "[churn-engineers, churn-scientists]"
CUSTOMER_READERS = "[churn-engineers, churn-scientists, churn-analysts]"
CLEAR = f"{CUSTOMER_READERS.strip('[]')} would then read it in clear {CUSTOMER_READERS}"
DELIVERERS = "[whoever delivers it]"
CITY = """\
      - name: city
        logicalType: string
        physicalType: STRING
        description: Town of the home.
        classification: pii.location
        transformSourceObjects: [City]
"""
VILLAGE = CITY.replace("city", "village").replace("City", "Village").replace("Town", "Village")
LATENCY = "value: 24\n    unit: h"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shutil.copytree(paths.CONTRACTS, tmp_path / "contracts")


# File, text in it, what is written instead, the line of the change, and what it amounts to.
BREAKING = [
    ("customer", CITY, "", f"column city removed {CUSTOMER_READERS}"),
    ("customer", "name: city\n", "name: town\n", f"column city renamed to town {CUSTOMER_READERS}"),
    (
        "customer",
        "classification: pii.email\n",
        "classification: public\n",
        f"column email: classification pii.email removed; {CLEAR}",
    ),
    (
        "customer",
        "        classification: pii.email\n",
        "",
        f"column email: classification pii.email removed; {CLEAR}",
    ),
    (
        "customer",
        "classification: pii.birth\n",
        "classification: confidential\n",
        f"column birth_date: classification pii.birth changed to confidential; {CLEAR}",
    ),
    (
        "customer",
        "classification: pii.name\n",
        "classification: pii.id\n",
        "column full_name: classification pii.name changed to pii.id; masked in another way",
    ),
    (
        "customer",
        'coarsest part of an address."\n        required: true\n        classification: public',
        'coarsest part of an address."\n        required: true\n        classification: confidential',
        "column region: classification public changed to confidential; masked for whoever may not read confidential "
        + CUSTOMER_READERS,
    ),
    (
        "usage",
        "physicalType: DOUBLE",
        "physicalType: INT",
        f"column minutes: type narrowed from DOUBLE to INT {READERS}",
    ),
    (
        "usage",
        "physicalType: DATE",
        "physicalType: STRING",
        f"column event_date: type changed from DATE to STRING {READERS}",
    ),
    (
        "customer",
        "description: Day of birth.\n",
        "description: Day of birth.\n        required: true\n",
        f"column birth_date: required from now on; rows without it are set aside {DELIVERERS}",
    ),
    (
        "usage",
        "description: Day of the use.\n        required: true\n",
        "description: Day of the use.\n",
        f"column event_date: no longer required; readers meet NULL {READERS}",
    ),
    ("support", ", high]", "]", f"column priority: values high removed (tightened) {DELIVERERS}"),
    (
        "support",
        "severity: quarantine",
        "severity: warn",
        f"column category: values loosened: quarantine is warn now {READERS}",
    ),
    ("support", ", high]", ", high, urgent]", f"column priority: values urgent added (loosened) {READERS}"),
    ("customer", "[customerID]", "[Id]", f"column customer_id: delivered as Id, no longer as customerID {DELIVERERS}"),
    (
        "usage",
        "BETWEEN 0 AND 1440",
        "BETWEEN 0 AND 2880",
        f"rule minutes_are_possible loosened: minutes BETWEEN 0 AND 1440 is minutes BETWEEN 0 AND 2880 now {READERS}",
    ),
    (
        "usage",
        "BETWEEN 0 AND 1440",
        "BETWEEN 1 AND 1440",
        "rule minutes_are_possible tightened: minutes BETWEEN 0 AND 1440 is minutes BETWEEN 1 AND 1440 now [wh",
    ),
    (
        "usage",
        "severity: quarantine\n        implementation",
        "severity: warn\n        implementation",
        f"rule minutes_are_possible loosened: quarantine is warn now {READERS}",
    ),
    (
        "customer",
        "severity: warn",
        "severity: fail",
        f"rule email_has_a_domain tightened: warn is fail now {DELIVERERS}",
    ),
    (
        "usage",
        "  - role: churn-scientists\n    access: read\n    description: Build features of use.\n",
        "",
        "role churn-scientists removed (read) [churn-scientists]",
    ),
    ("usage", "freshness: fail", "freshness: warn", f"check freshness loosened: fail is warn now {READERS}"),
    ("usage", LATENCY, LATENCY.replace("24", "48"), f"service level latency loosened from 1 day to 2 days {READERS}"),
    (
        "usage",
        "value: 2\n    unit: y",
        "value: 1\n    unit: y",
        f"service level retention loosened from 730 days to 365 days {READERS}",
    ),
    ("usage", '"06:00"', '"09:30"', f"service level timeOfAvailability loosened from 06:00 to 09:30 {READERS}"),
    ("usage", "value: parquet", "value: csv", f"format changed from parquet to csv {DELIVERERS}"),
    (
        "support",
        "value: [csv, json, parquet]",
        "value: [csv, json]",
        f"format changed from csv, json, parquet to csv, json {DELIVERERS}",
    ),
    ("usage", "primaryKey: true", "primaryKey: false", f"column event_id: no longer part of the key {READERS}"),
]
SAFE = [
    ("customer", "description: Town of the home.", "description: Town.", "column city: description"),
    (
        "customer",
        CITY,
        CITY + VILLAGE,
        "column village added, pii.location",
    ),
    (
        "customer",
        "physicalType: INT",
        "physicalType: BIGINT",
        f"column senior_citizen: type widened from INT to BIGINT {CUSTOMER_READERS}",
    ),
    ("usage", "volume: warn", "volume: fail", "check volume tightened: warn is fail now"),
    ("usage", LATENCY, LATENCY.replace("24", "12"), "service level latency tightened from 1 day to 12 hours"),
    (
        "usage",
        "roles:\n",
        "roles:\n  - role: churn-analysts\n    access: read\n    description: Counts.\n",
        "role churn-analysts added (read): reads 2 public columns [churn-analysts]",
    ),
    ("customer", "#churn-data", "#data", "channel changed to #data"),
    ("customer", "value: csv", "value: [csv, json]", f"format csv, json taken, no longer csv alone {DELIVERERS}"),
    (
        "customer",
        "  name: churn-engineers\n",
        "  name: churn-platform\n",
        "owner changed from churn-engineers to churn-platform [churn-platform]",
    ),
    ("customer", "email LIKE '%_@_%._%'", "email LIKE '%_@_%'", "rule email_has_a_domain changed: "),
]


@pytest.mark.parametrize(
    ("file", "old", "new", "said", "amounts_to"),
    [(*case, Verdict.BREAKING) for case in BREAKING] + [(*case, Verdict.SAFE) for case in SAFE],
)
def test_a_change_is_named_by_its_meaning(
    folder: Path, file: str, old: str, new: str, said: str, amounts_to: Verdict
) -> None:
    path = folder / f"{file}.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    (found,) = compare_with(str(paths.CONTRACTS), folder)
    (change,) = found.changes
    whom = f" [{', '.join(change.whom)}]" if change.whom else ""
    assert f"{change.what}{whom}".startswith(said)
    assert change.breaking == (amounts_to is Verdict.BREAKING)
    assert verdict([found]) is amounts_to
    assert found.demanded == ("3.0.0" if change.breaking else "2.1.0")


@pytest.fixture
def changed(folder: Path) -> Path:
    """Contracts of which three have changed, one is gone, and one is new."""
    (folder / "marketing.yaml").rename(folder / "contacts.yaml")
    edits: dict[str, Callable[[str], str]] = {
        "contacts": lambda text: text.replace("marketing", "contacts"),
        "customer": lambda text: re.sub(
            r"(name: gender(\n.*){3}\n.*: )true", r"\1false", text.replace(CITY, "")
        ).replace("classification: pii.email", "classification: public"),
        "support": lambda text: text.replace("version: 2.0.0", "version: 2.1.0").replace("Day on", "The day on"),
        "usage": lambda text: text.replace("version: 2.0.0", "version: 3.0.0").replace("1440", "2000"),
        "gold/churn_labels": lambda text: text.replace("      - name: churned", "      - name: left"),
        "transactions": lambda text: text.replace("Day of the bill.", "Day on the bill."),
    }
    for name, edit in edits.items():
        path = folder / f"{name}.yaml"
        path.write_text(edit(path.read_text()))
    return folder


def test_the_whole_comparison_is_shown_with_versions_demanded(changed: Path) -> None:
    assert_matches(RECORDS / "contract_diff.txt", shown(compare_with(str(paths.CONTRACTS), changed)) + "\n")


def test_what_makes_the_changes_hold_is_said(changed: Path) -> None:
    path = changed / "customer.yaml"
    text = path.read_text().replace("physicalType: INT", "physicalType: BIGINT", 1)
    path.write_text(text.replace("      - name: plan\n", f"{VILLAGE}      - name: plan\n"))
    assert_matches(RECORDS / "contract_migrate.txt", steps(compare_with(str(paths.CONTRACTS), changed)) + "\n")
    assert steps([]) == "nothing to do"


@pytest.mark.parametrize(("edited", "status"), [("", 0), ("safe", 2), ("breaking", 3)])
def test_the_status_says_what_differences_amount_to(
    folder: Path, edited: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "customer.yaml"
    edits = {"safe": ("Town of the home.", "Town."), "breaking": ("pii.email", "public"), "": ("", "")}
    path.write_text(path.read_text().replace(*edits[edited], 1))
    assert program.main(["--contracts", str(folder), "diff", str(paths.CONTRACTS)]) == status
    assert (edited or "no difference") in capsys.readouterr().out
    arguments = ["--contracts", str(folder), "diff", "--versions", str(paths.CONTRACTS)]
    assert program.main(arguments) == int(bool(edited))
    path.write_text(path.read_text().replace("version: 2.0.0", "version: 3.0.0"))
    assert program.main(arguments) == 0


def test_a_revision_of_git_is_compared_with(folder: Path) -> None:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
        subprocess.run(["git", "-C", str(folder.parent), *identity, *arguments], check=True, capture_output=True)

    git("init")
    git("add", "contracts")
    git("commit", "-m", "first")
    assert compare_with("HEAD", folder) == []
    path = folder / "customer.yaml"
    path.write_text(path.read_text().replace(CITY, ""))
    (found,) = compare_with("HEAD", folder)
    assert [change.what for change in found.changes] == ["column city removed"]
    with pytest.raises(FaultsError, match="'nowhere': Not a valid object name"):
        compare_with("nowhere", folder)


def test_contracts_older_than_the_rules_of_today_are_compared(folder: Path, tmp_path: Path) -> None:
    old = shutil.copytree(folder, tmp_path / "old")
    path = old / "usage.yaml"
    text = re.sub(r"\n +severity: quarantine(?=\n)", "", path.read_text())
    path.write_text(text.replace('support:\n  - channel: "#churn-data"\n    tool: slack\n    scope: issues\n', ""))
    (found,) = compare_with(str(old), folder)
    assert [change.what for change in found.changes] == ["channel changed to #churn-data"]


@pytest.mark.parametrize(
    ("version", "breaking", "expected"),
    [("1.2.3", True, "2.0.0"), ("1.2.3", False, "1.3.0"), ("1", False, "1.1.0"), ("draft", True, "1.0.0")],
)
def test_a_change_demands_a_version(version: str, breaking: bool, expected: str) -> None:
    assert next_version(version, breaking=breaking) == expected


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ("a BETWEEN 0 AND 10", "(A between 0 and 10)".lower(), Strictness.SAME),
        ("a BETWEEN 0 AND 10", "a BETWEEN 5 AND 20", Strictness.OTHER),
        ("a BETWEEN -5 AND 2", "a BETWEEN -6 AND 2", Strictness.LOOSENED),
        ("a IN (1, 2)", "a IN (1)", Strictness.TIGHTENED),
        ("a IN (1, 2)", "a IN (2, 3)", Strictness.OTHER),
        ("a > 1", "a > 1 OR b > 1", Strictness.LOOSENED),
        ("a > 1 OR b > 1", "b > 1", Strictness.TIGHTENED),
        ("a > 1 AND b > 1", "a > 1", Strictness.LOOSENED),
        ("a > 1", "a > 1 AND b > 1", Strictness.TIGHTENED),
        ("a IS NULL OR a BETWEEN 0 AND 1", "a IS NULL OR a BETWEEN 0 AND 2", Strictness.LOOSENED),
        ("a IS NULL OR (a > 1 AND b > 1)", "(a IS NULL) OR (a > 1 AND b > 1 AND c > 1)", Strictness.TIGHTENED),
        ("a > 1", "a >", Strictness.OTHER),
    ],
)
def test_conditions_are_compared_by_the_rows_that_they_let_pass(before: str, now: str, expected: Strictness) -> None:
    assert compare(before, now) is expected
