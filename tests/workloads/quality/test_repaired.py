"""Repaired rows: read line by line, judged by the rules of silver, written as their source would deliver them."""

from __future__ import annotations

import base64
import io
import json
import re
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

from churn.core.contract import contract_of
from churn.quality.repaired import Repaired, RepairError, check_rules, content, files_of, read_lines

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SUPPORT, BILLS = contract_of("support"), contract_of("transactions")
FILE = "/Volumes/c/bronze/admitted/support/2026-01-05/20260105T060000000-a-0123abcd.csv"
TICKET = {
    "ticket_id": "s-1",
    "customer_id": "a",
    "opened_date": "2026-01-05",
    "category": "billing",
    "priority": "urgent",
    "resolution_hours": "3.5",
}
BILL = {"transaction_id": "t-1", "customer_id": "a", "transaction_date": "2026-01-05", "amount": 20.5, "status": "paid"}
QUARANTINED = {row_id: {"file": FILE, "raw": json.dumps(TICKET)} for row_id in ("r-1", "r-2")}


def line(row_id: str = "r-1", **changes: Any) -> str:
    return json.dumps({"row_id": row_id, "row": {**TICKET, "priority": "high", **changes}, "reasons": ["kept"]})


def test_repaired_rows_are_read_and_released_ones_passed_over() -> None:
    rows, before = read_lines(SUPPORT, [line(), "", line("r-2"), line("r-3")], QUARANTINED, ["r-2", "r-3"])
    assert before == 2
    assert rows == [Repaired(1, "r-1", FILE, {**TICKET, "priority": "high"})]
    assert rows[0].path(SUPPORT) == "support/2026-01-05/repaired-r-1.csv"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["{"], "line 1: "),
        (["[]"], "line 1: it is no JSON object with a row_id; write the line as it was shown"),
        (['{"row_id": "r-1", "row": null}'], "line 1: it has no row: for whoever may not read personal data"),
        ([line("r-9")], "line 1: row r-9 is not in silver.quarantine_support; remove the line"),
        ([line(), line()], "line 2: its row is that of line 1 too; remove one of them"),
        ([line(priority="urgent")], "line 1: the row is as it was; repair it, or remove the line"),
        ([line(prio="high")], "line 1: the contract knows no column prio; there are ticket_id, customer_id"),
    ],
)
def test_a_wrong_line_is_named_with_what_to_do(lines: list[str], said: str) -> None:
    with pytest.raises(RepairError, match=re.escape(said)):
        read_lines(SUPPORT, lines, QUARANTINED, [])


def test_all_wrong_lines_are_named_at_once() -> None:
    with pytest.raises(RepairError, match=r"line 1: .*; line 2: .*; line 10: .*; and 2 more lines"):
        read_lines(SUPPORT, ["{"] * 12, QUARANTINED, [])


def test_a_value_of_another_type_is_named_before_spark_sees_it() -> None:
    given = json.dumps({"row_id": "r-1", "row": {**BILL, "amount": "twenty"}})
    with pytest.raises(RepairError, match="line 1: amount is 'twenty', where DOUBLE is due"):
        read_lines(BILLS, [given], QUARANTINED, [])


def test_a_row_is_written_as_its_source_would() -> None:
    (row,), _ = read_lines(SUPPORT, [line(category='a "b", c', resolution_hours=None)], QUARANTINED, [])
    assert content(SUPPORT, row).decode() == (
        'ticket_id,customer_id,opened_date,category,priority,resolution_hours\ns-1,a,2026-01-05,"a ""b"", c",high,\n'
    )
    (bill,), _ = read_lines(BILLS, [json.dumps({"row_id": "r-1", "row": BILL})], QUARANTINED, [])
    (read,) = pq.read_table(io.BytesIO(content(BILLS, bill))).to_pylist()
    assert read == {**BILL, "transaction_date": date(2026, 1, 5)}


def test_a_row_that_still_breaks_a_rule_stops_all_of_them(spark: SparkSession) -> None:
    rows, _ = read_lines(SUPPORT, [line(), line("r-2", resolution_hours="soon", category="bill")], QUARANTINED, [])
    check_rules(spark, SUPPORT, rows[:1])
    broken = "values_have_their_type, category_is_known (of another type: resolution_hours)"
    with pytest.raises(RepairError) as error:
        check_rules(spark, SUPPORT, rows)
    assert str(error.value) == f"line 2: the row still breaks {broken}; repair it, or remove the line"


def test_checked_rows_become_files_in_the_folder_of_their_day(spark: SparkSession) -> None:
    given = {"domain": "support", "lines": [line(), line("r-2")], "quarantined": QUARANTINED, "released": ["r-2"]}
    made = files_of(given, lambda: spark)
    (file,) = made["files"]
    assert (made["released"], file["path"]) == (1, "support/2026-01-05/repaired-r-1.csv")
    assert base64.b64decode(file["content"]).decode().splitlines()[1] == "s-1,a,2026-01-05,billing,high,3.5"


def test_no_spark_is_asked_for_where_all_rows_were_released() -> None:
    given = {"domain": "support", "lines": [line()], "quarantined": QUARANTINED, "released": ["r-1"]}
    assert files_of(given, lambda: pytest.fail("nothing is left to check")) == {"files": [], "released": 1}


def test_a_typed_row_is_judged_by_its_rules_too(spark: SparkSession) -> None:
    lines = [
        json.dumps({"row_id": row_id, "row": {**BILL, "amount": amount}})
        for row_id, amount in (("r-1", 1), ("r-2", -1))
    ]
    rows, _ = read_lines(BILLS, lines, QUARANTINED, [])
    with pytest.raises(RepairError, match=r"line 2: the row still breaks amount_is_possible; repair"):
        check_rules(spark, BILLS, rows)
