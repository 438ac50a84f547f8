"""Bad deliveries on their whole way: landing, ingest, bronze, silver, reconcile. No row is lost, each is counted."""

from __future__ import annotations

import gzip
import io
import json
import re
from collections import Counter
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import functions as sf

from churn.core.contract import contract_of
from churn.data import telco_raw
from churn.ingestion import ingest
from churn.quality import repaired
from churn.transforms import reconcile
from cli import quarantined
from cli.errors import CommandError
from cli.readmit import readmit
from local.settings import LocalSettings
from tests.workloads.silver_rows import REPORTED
from tests.workloads.way_to_silver import WayToSilver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyspark.sql import SparkSession

    from tests.local.conftest import LocalWorkspace

CATALOG = "churn_bad_input"
VOLUMES = f"/Volumes/{CATALOG}/bronze"
CUSTOMER = contract_of("customer")


def customers(*ids: str, **values: str) -> pd.DataFrame:
    """Telco's first customers as delivered, with other ids, and with values put in."""
    rows = telco_raw().head(len(ids)).assign(**REPORTED, AsOf="2026-01-01")
    return rows.assign(customerID=list(ids), **values)[CUSTOMER.sources]


def text(frame: pd.DataFrame, separator: str = ",") -> bytes:
    return frame.to_csv(index=False, sep=separator, lineterminator="\n").encode()


def table(row: dict[str, Any]) -> bytes:
    """A Parquet file of one row."""
    buffer = io.BytesIO()
    pq.write_table(pa.table({name: [value] for name, value in row.items()}), buffer)
    return buffer.getvalue()


def bills(key: str, amount: Any, status: Any = "paid") -> bytes:
    row = {"transaction_id": key, "customer_id": "a1", "transaction_date": date(2026, 1, 1)}
    return table({**row, "amount": amount, "status": status})


def ticket(key: str) -> dict[str, Any]:
    """A ticket as delivered, in JSON or text."""
    values = (key, "a1", "2026-01-01", "billing", "low", "3.5")
    return dict(zip(contract_of("support").sources, values, strict=True))


GOOD = text(customers("a1", "a2", "a3"))
BILL = bills("t1", 20.5)
QUOTED = '1 "Elm, the Old" Street'
FIRST = {
    "customer/2026-01-01/good.csv": GOOD,
    "customer/2026-01-01/empty.csv": b"",
    "customer/2026-01-01/truncated.csv": text(customers("b1", "b2"))[:-9],
    "customer/2026-01-01/delimiter.csv": text(customers("c1", "c2"), ";"),
    "customer/2026-01-01/extra.csv": text(customers("d1").assign(Mood="fine")),
    "customer/2026-01-01/missing.csv": text(customers("e1", "e2").drop(columns="Contract")),
    "customer/2026-01-01/missing_optional.csv": text(customers("e3").drop(columns="ChurnDate")),
    "customer/2026-01-01/renamed.csv": text(customers("f1").rename(columns={"MonthlyCharges": "Monthly"})),
    "customer/2026-01-01/mark.csv": b"\xef\xbb\xbf" + text(customers("f2")),
    "customer/2026-01-01/quotes.csv": text(customers("j1", Street=QUOTED)),
    "customer/2026-01-01/uneven.csv": text(customers("l1", "l2"))
    .replace(b",2026-01-01\n", b",2026-01-01,5\n", 1)
    .replace(b",,2026-01-01\n", b",\n"),
    "customer/2026-01-01/wrong.csv": text(customers("k1", Contract="One year")),
    "customer/2026-01-01/blank_total.csv": text(
        pd.concat(
            [customers("g1", tenure="0", TotalCharges=" "), customers("g2", tenure="7", TotalCharges=" ")],
        )
    ),
    "customer/2026-01-01/text_in_number.csv": text(
        pd.concat([customers("h1", MonthlyCharges="twenty"), customers("h2")])
    ),
    "customer/2026-01-01/no_number.csv": text(
        pd.concat([customers("h3", TotalCharges="NaN"), customers("h4", TotalCharges="Infinity")])
    ),
    "customer/2026-01-02/duplicate.csv": text(
        pd.concat([customers("a1", AsOf="2026-01-02", Contract="Two year"), customers("i1"), customers("i1")])
    ),
    "transactions/2026-01-01/good.parquet": BILL,
    "transactions/2026-01-01/truncated.parquet": bills("t2", 20.5)[:-30],
    "transactions/2026-01-01/damaged.parquet": BILL[:40] + bytes(20) + BILL[60:],
    "transactions/2026-01-01/impossible.parquet": bills("t3", -1e9),
    "transactions/2026-01-01/text_in_number.parquet": bills("t5", "twenty"),
    "transactions/2026-01-01/number_in_text.parquet": bills("t6", 20.5, 3),
    "transactions/2026-01-01/whole_number.parquet": bills("t7", 20),
    # a state that reverts, in the very bytes that reported it first
    "transactions/2026-02-01/bill.parquet": bills("t4", 20.5, "late"),
    "transactions/2026-02-02/bill.parquet": bills("t4", 20.5, "paid"),
    "transactions/2026-02-03/bill.parquet": bills("t4", 20.5, "late"),
    # a folder with the name of the volume that they are kept in
    "customer/2026-01-01/admitted/m1.csv": text(customers("m1")),
    "customer/dt=2026-01-01/admitted/m2.csv": text(customers("m2")),
    "customer/20260101/no_day.csv": text(customers("p1")),
    "customer/2062-01-01/no_day_yet.csv": text(customers("p2")),
    "customer/2026-01-01/misdated.csv": text(
        pd.concat([customers("q1", AsOf="9999-12-31"), customers("q2", SignupDate="1850-01-01")])
    ),
    "customer/2026-01-01/packed.csv.gz": gzip.compress(text(customers("r1"))),
    "customer/2026-01-01/wide.csv": text(customers("r2")).decode().encode("utf-16"),
    "customer/2026-01-01/header.csv": text(customers("r3").rename(columns=lambda name: f" {name.lower()}")),
    "customer/2026-01-01/lines.csv": text(customers("r4", "r5")).replace(b"\n", b"\r\n", 2),
    "customer/2026-01-01/book.xlsx": b"PK\x03\x04",
    "support/2026-01-01/text.csv": text(pd.DataFrame([ticket("s-1")])),
    "support/2026-01-01/array.json": json.dumps([ticket("s-2"), {**ticket("s-3"), "resolution_hours": 3.5}]).encode(),
    "support/2026-01-01/lines.jsonl": f"{json.dumps({**ticket('s-4'), 'agent': 'Kim'})}\n{{\n".encode(),
    "support/2026-01-01/table.parquet": table(
        {**ticket("s-5"), "opened_date": date(2026, 1, 1), "resolution_hours": 4}
    ),
    # the same key and day as in wrong.csv, delivered after it, under a name that comes before
    "customer/2026-01-01/corrected.csv": text(customers("k1", Contract="Two year")),
}
QUARANTINED_FILES = {  # rows and reason
    "customer/2026-01-01/empty.csv": (None, "the file is empty"),
    "customer/2026-01-01/delimiter.csv": (None, "wrong delimiter: the header has a semicolon where a comma is due"),
    "customer/2026-01-01/missing.csv": (2, "missing columns: Contract"),
    "customer/2026-01-01/missing_optional.csv": (1, "missing columns: ChurnDate"),
    "customer/2026-01-01/renamed.csv": (1, "missing columns: MonthlyCharges; unknown columns: Monthly"),
    "transactions/2026-01-01/truncated.parquet": (None, "damaged or no Parquet"),
    "transactions/2026-01-01/damaged.parquet": (None, "damaged or no Parquet"),
    "transactions/2026-01-01/text_in_number.parquet": (
        None,
        "columns of another type: amount is string where DOUBLE is due",
    ),
    "transactions/2026-01-01/number_in_text.parquet": (
        None,
        "columns of another type: status is int64 where STRING is due",
    ),
    "customer/20260101/no_day.csv": (None, "its folder 20260101 names no day"),
    "customer/2062-01-01/no_day_yet.csv": (None, "its folder names 2062-01-01, a day after the run's"),
    "customer/2026-01-01/book.xlsx": (None, "is a zip archive"),
}
REMARKS = {
    "truncated.csv": "line 3 has no end, so that it may be cut",
    "extra.csv": "unknown columns: Mood",
    "mark.csv": "began with a byte order mark",
    "uneven.csv": "2 records have not the header's 33 fields: line 2, 3",
    "packed.csv.gz": "was compressed with gzip",
    "wide.csv": "was in UTF-16",
    "header.csv": "columns spelled otherwise: ' customerid', ' fullname'",
    "lines.csv": "line ends are mixed",
    "array.json": "was one array",
    "lines.jsonl": "unknown columns: agent; 1 records are no JSON objects: record 2",
    "table.parquet": "columns of a type that was widened: resolution_hours is int64",
    "whole_number.parquet": "columns of a type that was widened: amount is int64",
}
REASONS = {
    "b2": {"values_have_their_type", "as_of_is_given"},
    "q1": {"dates_are_possible"},
    "q2": {"dates_are_possible", "born_before_signup"},
    "g2": {"total_charges_unless_new"},
    "h1": {"values_have_their_type", "monthly_charges_is_given", "monthly_charges_are_possible"},
    "h3": {"values_have_their_type", "total_charges_unless_new"},
    "h4": {"values_have_their_type", "total_charges_unless_new"},
    "l1": {"has_its_fields"},
    "l2": {"has_its_fields", "as_of_is_given"},
}
VALID = {"a1", "a2", "a3", "b1", "d1", "f2", "g1", "h2", "i1", "j1", "k1", "m1", "m2", "r1", "r2", "r3", "r4", "r5"}
COUNTS = {  # rows in, rows out, quarantined, superseded
    "customer": (30, 18, 9, 3),
    "transactions": (6, 3, 1, 2),
    "support": (6, 5, 1, 0),
}


@pytest.fixture(scope="module")
def path(
    spark: SparkSession, spark_home: LocalSettings, workspace: LocalWorkspace, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WayToSilver]:
    """The path, with the first files taken in under run 1."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_REMOTE", spark_home.spark_remote)
        way = WayToSilver(workspace, spark, tmp_path_factory.mktemp("storage"), CATALOG)
        way.deliver(FIRST)
        way.take_in("1")
        yield way


def account(path: WayToSilver, run_id: str) -> dict[str, tuple[int, ...]]:
    accounts = path.rows(f"SELECT * FROM {{}}.mlops.row_accounting WHERE run_id = '{run_id}'")
    return {row.table: (row.rows_in, row.rows_out, row.quarantined, row.superseded) for row in accounts}


def test_files_at_fault_are_quarantined_whole(path: WayToSilver) -> None:
    quarantined = path.rows("SELECT file, rows, reason, stored FROM {}.bronze.deliveries WHERE status = 'quarantined'")
    assert {row.file for row in quarantined} == set(QUARANTINED_FILES)
    for row in quarantined:
        rows, reason = QUARANTINED_FILES[row.file]
        assert row.rows == rows
        assert row.reason.startswith(reason)
        kept = path.client.files.download(row.stored).contents
        assert kept is not None
        assert kept.read() == FIRST[row.file]


def test_what_is_odd_about_an_admitted_file_is_recorded(path: WayToSilver) -> None:
    admitted = path.rows(
        "SELECT file, reason FROM {}.bronze.deliveries WHERE status = 'admitted' AND reason IS NOT NULL"
    )
    remarks = {row.file.rpartition("/")[2]: row.reason for row in admitted}
    assert remarks.keys() == REMARKS.keys()
    assert all(remark.startswith(REMARKS[file]) for file, remark in remarks.items())


def test_text_json_and_parquet_of_one_domain_come_together(path: WayToSilver) -> None:
    tickets = path.rows("SELECT ticket_id, opened_date, resolution_hours FROM {}.silver.support")
    hours = {"s-1": 3.5, "s-2": 3.5, "s-3": 3.5, "s-4": 3.5, "s-5": 4.0}
    assert {row.ticket_id: (row.opened_date, row.resolution_hours) for row in tickets} == {
        key: (date(2026, 1, 1), value) for key, value in hours.items()
    }
    (broken,) = path.rows("SELECT _reasons, _raw FROM {}.silver.quarantine_support")
    assert "has_its_fields" in broken._reasons
    assert json.loads(broken._raw)["_corrupt_record"] == "{"


def test_nothing_is_left_where_it_was_delivered(path: WayToSilver) -> None:
    for domain in {file.partition("/")[0] for file in FIRST}:
        left = path.client.files.list_directory_contents(f"/Volumes/{CATALOG}/landing/{domain}")
        assert list(left) == [], "neither files nor days"


def test_valid_customers_are_in_silver_once(path: WayToSilver) -> None:
    counts = Counter(row.customer_id for row in path.rows("SELECT customer_id FROM {}.silver.customer"))
    assert counts == Counter(VALID)


def test_the_latest_report_of_a_customer_wins(path: WayToSilver) -> None:
    (row,) = path.rows("SELECT contract, as_of FROM {}.silver.customer WHERE customer_id = 'a1'")
    assert (row.contract, row.as_of) == ("Two year", date(2026, 1, 2))


def test_of_two_reports_of_one_day_the_later_delivered_wins(path: WayToSilver) -> None:
    (row,) = path.rows("SELECT contract FROM {}.silver.customer WHERE customer_id = 'k1'")
    assert row.contract == "Two year"


def test_a_state_that_reverts_wins_over_the_one_between(path: WayToSilver) -> None:
    (row,) = path.rows("SELECT status FROM {}.silver.transactions WHERE transaction_id = 't4'")
    assert row.status == "late"


def test_quotes_within_a_value_are_kept(path: WayToSilver) -> None:
    (row,) = path.rows("SELECT street FROM {}.silver.customer WHERE customer_id = 'j1'")
    assert row.street == QUOTED


def test_invalid_rows_are_quarantined_with_their_reasons(path: WayToSilver) -> None:
    quarantined = path.rows("SELECT customer_id, _reasons FROM {}.silver.quarantine_customer")
    assert {row.customer_id: set(row._reasons) for row in quarantined} == REASONS
    (bill,) = path.rows("SELECT transaction_id, _reasons FROM {}.silver.quarantine_transactions")
    assert (bill.transaction_id, set(bill._reasons)) == ("t3", {"amount_is_possible"})


def test_a_quarantined_row_keeps_what_was_delivered(path: WayToSilver) -> None:
    (row,) = path.rows("SELECT _raw, _malformed FROM {}.silver.quarantine_customer WHERE customer_id = 'h1'")
    assert json.loads(row._raw)["MonthlyCharges"] == "twenty"
    assert row._malformed == "monthly_charges"


def test_an_extra_column_is_rescued(path: WayToSilver) -> None:
    (row,) = path.rows("SELECT customerID, _rescued_data FROM {}.bronze.customer WHERE _rescued_data LIKE '%Mood%'")
    assert (row.customerID, json.loads(row._rescued_data)["Mood"]) == ("d1", "fine")


def test_a_blank_total_is_valid_only_without_a_bill(path: WayToSilver) -> None:
    (row,) = path.rows("SELECT tenure_months, total_charges FROM {}.silver.customer WHERE customer_id = 'g1'")
    assert (row.tenure_months, row.total_charges) == (0, None)


def test_every_row_is_accounted_for(path: WayToSilver) -> None:
    assert account(path, "1") == COUNTS
    files = path.rows("SELECT * FROM {}.mlops.row_accounting WHERE run_id = '1' AND table = 'customer'")[0]
    assert (files.files, files.files_quarantined, files.files_duplicate) == (19, 8, 0)


def test_the_same_files_again_change_nothing(path: WayToSilver, capsys: pytest.CaptureFixture[str]) -> None:
    layers = ("bronze.{}", "silver.{}", "silver.{}_versions", "silver.quarantine_{}")
    tables = [layer.format(domain) for domain in ("customer", "transactions") for layer in layers]
    before = {table: sorted(map(str, path.rows(f"SELECT * FROM {{}}.{table}"))) for table in tables}
    bill, no_bill = "transactions/2026-01-01/good.parquet", "transactions/2026-01-01/impossible.parquet"
    path.deliver({"customer/2026-01-01/good.csv": GOOD, "customer/2026-01-01/renamed_file.csv": GOOD})
    path.deliver({file: FIRST[file] for file in (bill, no_bill, "support/2026-01-01/text.csv")})
    path.take_in("2")
    assert "5 files delivered: 0 admitted, 0 quarantined, 5 duplicate" in capsys.readouterr().out
    assert {table: sorted(map(str, path.rows(f"SELECT * FROM {{}}.{table}"))) for table in tables} == before
    assert account(path, "2") == dict.fromkeys(COUNTS, (0, 0, 0, 0))
    assert account(path, "1") == COUNTS


def test_after_rows_are_deleted_from_bronze_new_ones_still_come_through(path: WayToSilver) -> None:
    path.rows("DELETE FROM {}.bronze.customer WHERE customerID = 'a3'")
    path.deliver({"customer/2026-01-03/after.csv": text(customers("n1"))})
    path.take_in("after")
    assert account(path, "after")["customer"] == (1, 1, 0, 0)
    assert account(path, "1") == COUNTS, "what silver has of a deleted row stays until it is deleted there"


def test_a_file_whose_rows_were_deleted_on_purpose_is_taken_in_again(path: WayToSilver) -> None:
    warehouse = path.client.warehouses.create_and_wait(name="readmit", cluster_size="2X-Small", max_num_clusters=1)
    outputs = {"catalog": CATALOG, "warehouse_id": warehouse.id}
    file = "customer/2026-01-01/extra.csv"
    with pytest.raises(CommandError, match=r"no file 'customer/none\.csv' was admitted"):
        readmit(path.client, outputs, "customer/none.csv")
    twice = "customer/2026-01-03/same.csv"
    for each in ("s1", "s2"):
        path.deliver({twice: text(customers(each))})
        ingest.main([f"--catalog={CATALOG}", "--date=2026-02-28", "--run_id=same"])
    with pytest.raises(
        CommandError, match=rf"2 files were admitted as '{twice}'\n  → name one by where it is kept: /Vol"
    ):
        readmit(path.client, outputs, twice)
    path.rows("DELETE FROM {}.bronze.customer WHERE customerID = 'd1'")
    assert readmit(path.client, outputs, file) == 1, "of its row, silver's was left"
    path.deliver({file: FIRST[file]})
    path.take_in("readmitted")
    assert account(path, "readmitted")["customer"] == (1, 1, 0, 0)
    rows_in, rows_out, *others = COUNTS["customer"]
    assert account(path, "1")["customer"] == (rows_in - 1, rows_out - 1, *others)
    for table in ("bronze.customer", "silver.customer", "silver.customer_versions"):
        key = "customerID" if table == "bronze.customer" else "customer_id"
        assert path.rows(f"SELECT count(*) AS n FROM {{}}.{table} WHERE {key} = 'd1'")[0].n == 1


def test_a_repaired_row_comes_back_once(path: WayToSilver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse = path.client.warehouses.create_and_wait(name="repair", cluster_size="2X-Small", max_num_clusters=1)
    outputs = {"catalog": CATALOG, "warehouse_id": warehouse.id}
    rule, file, own_process = "monthly_charges_is_given", tmp_path / "repair.jsonl", quarantined._checked
    monkeypatch.setattr(quarantined, "_checked", lambda given: repaired.files_of(given, lambda: path.spark))
    found, _ = quarantined.counts(path.client, outputs)
    (count,) = [each for each in found if (each.table, each.rule) == ("quarantine_customer", rule)]
    assert (count.day, count.rows, count.released) == ("2026-01-01", 1, 0)
    (line,) = quarantined.shown(path.client, outputs, "customer", rule=rule, day="2026-01-01", limit=10)
    shown = json.loads(line)
    assert (shown["run_id"], shown["contract_version"]) == ("1", CUSTOMER.version)
    assert shown["file"].startswith("customer/2026-01-01/")

    def repair(charges: str) -> None:
        file.write_text(json.dumps({**shown, "row": {**shown["row"], "MonthlyCharges": charges}}))

    repair("thirty")
    with pytest.raises(repaired.RepairError, match=r"line 1: the row still breaks values_have_their_type, monthly"):
        quarantined.release(path.client, outputs, "customer", file)
    repair("30")
    dry = quarantined.release(path.client, outputs, "customer", file, dry=True)
    with monkeypatch.context() as patch:
        patch.setattr(quarantined, "_checked", own_process)
        done = quarantined.release(path.client, outputs, "customer", file)
    assert (dry, len(done.files), done.before) == (done, 1, 0)
    assert re.fullmatch(r"customer/2026-01-01/repaired-[0-9a-f-]{36}\.csv", done.files[0])
    waiting = quarantined.release(path.client, outputs, "customer", file)
    assert (waiting.files, waiting.before) == ((), 1), "its file waits to be taken in"
    path.take_in("released")
    assert account(path, "released")["customer"] == (1, 1, 0, 0)
    (accounted,) = path.rows("SELECT * FROM {}.mlops.row_accounting WHERE run_id = '1' AND table = 'customer'")
    assert accounted.released == 1
    assert path.rows("SELECT monthly_charges FROM {}.silver.customer WHERE customer_id = 'h1'")[0][0] == 30
    again = quarantined.release(path.client, outputs, "customer", file)
    assert (again.files, again.before) == ((), 1), "the ledger has its file"
    assert quarantined.shown(path.client, outputs, "customer", rule=rule, limit=10) == []
    found, refused = quarantined.counts(path.client, outputs)
    assert ([each.released for each in found if each.rule == rule], refused) == ([1], {})


def test_a_full_refresh_of_bronze_is_refused_and_the_next_day_goes_on(path: WayToSilver) -> None:
    def bronze() -> list[str]:
        return sorted(map(str, path.rows("SELECT * FROM {}.bronze.customer")))

    before = bronze()
    (gone,) = path.rows("SELECT stored FROM {}.bronze.deliveries WHERE file LIKE '%/good.csv' AND status = 'admitted'")
    path.client.files.delete(gone.stored)  # as retention does: a rebuilt table would lose its rows
    refused = path.update("bronze", "--full-refresh", "customer")
    assert refused.returncode == 1
    assert "pipelines.reset.allowed" in refused.stdout
    assert path.update("bronze", "--full-refresh-all").returncode == 0
    assert bronze() == before
    path.deliver({"customer/2026-01-03/refreshed.csv": text(customers("o1"))})
    path.take_in("refreshed")
    assert account(path, "refreshed")["customer"] == (1, 1, 0, 0)


def test_a_full_refresh_of_uses_that_a_stream_has_is_refused(path: WayToSilver) -> None:
    """silver.events would take each use again, and has forgotten the ids of those that are old."""
    refused = path.update("silver", "--full-refresh", "usage_versions")
    assert refused.returncode == 1
    assert "pipelines.reset.allowed" in refused.stdout


def test_a_file_replaced_during_a_run_is_left_to_the_next(path: WayToSilver, monkeypatch: pytest.MonkeyPatch) -> None:
    file, arguments = "support/2026-01-02/a.csv", [f"--catalog={CATALOG}", "--date=2026-02-28", "--run_id=replaced"]
    assess = ingest.assess

    def assess_while_another_comes(*arguments: Any) -> list[ingest.Delivered]:
        path.deliver({file: b"second"})
        return assess(*arguments)

    path.deliver({file: b"first"})
    with monkeypatch.context() as patch:
        patch.setattr(ingest, "assess", assess_while_another_comes)
        ingest.main(arguments)
    ingest.main(arguments)
    ingest.main(arguments)
    assert path.stored_contents("support/2026-01-02") == [b"first", b"second"]


def test_a_file_replaced_while_others_are_deleted_is_left_to_the_next(
    path: WayToSilver, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = "usage/2026-01-02/a.csv", "usage/2026-01-02/b.csv"
    delete = path.client.files.delete

    def delete_while_another_comes(file: str) -> None:
        path.deliver({other: b"after"})
        delete(file)

    path.deliver({one: b"first", other: b"other"})
    monkeypatch.setattr(ingest, "FILES_AT_ONCE", 1)
    with monkeypatch.context() as patch:
        patch.setattr(path.client.files, "delete", delete_while_another_comes)
        ingest.Intake(path.run("deleted"), path.client, path.spark).run()
    ingest.Intake(path.run("deleted"), path.client, path.spark).run()
    assert path.stored_contents("usage") == [b"first", b"other", b"after"]


def test_an_interrupted_run_keeps_the_chunks_that_were_done(path: WayToSilver, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {f"marketing/2026-01-0{number}/{number}.csv": b"%d" % number for number in (1, 2, 3)}
    upload = path.client.files.upload

    def upload_the_first(file: str, contents: Any, **options: Any) -> Any:
        if "-1-" not in file:
            raise OSError("full")
        return upload(file, contents, **options)

    path.deliver(files)
    monkeypatch.setattr(ingest, "CHUNK_BYTES", 1)
    with monkeypatch.context() as patch:
        patch.setattr(path.client.files, "upload", upload_the_first)
        with pytest.raises(OSError, match="full"):
            ingest.Intake(path.run("interrupted"), path.client, path.spark).run()
    assert path.stored_contents("marketing") == [b"1"]
    ingest.Intake(path.run("interrupted"), path.client, path.spark).run()
    assert path.stored_contents("marketing") == [b"1", b"2", b"3"]
    assert not path.home.volumes.joinpath(CATALOG, "bronze", "raw", "marketing", "2026-01-03").exists()


def test_rows_that_are_there_twice_are_not_called_lost(path: WayToSilver) -> None:
    quarantine = f"{CATALOG}.silver.quarantine_transactions"
    again = path.spark.table(quarantine).withColumn("transaction_id", sf.lit("again"))
    again.write.mode("append").saveAsTable(quarantine)
    with pytest.raises(reconcile.RowsTwiceError) as error:
        reconcile.main([f"--catalog={CATALOG}", "--date=2026-02-28", "--run_id=3"])
    path.rows("DELETE FROM {}.silver.quarantine_transactions WHERE transaction_id = 'again'")
    counts = "transactions of run 1: 6 in, 3 out, 2 quarantined, 2 superseded, 0 erased, 1 too many"
    assert str(error.value).startswith(f"rows are there twice: {counts}; if bronze has each row once")
    assert "full refresh of quarantine_transactions, transactions_versions" in str(error.value)


def test_lost_rows_fail_the_run_by_table_and_counts(path: WayToSilver) -> None:
    path.rows("DELETE FROM {}.silver.quarantine_customer WHERE customer_id = 'h1'")
    with pytest.raises(reconcile.RowsLostError) as error:
        reconcile.main([f"--catalog={CATALOG}", "--date=2026-02-28", "--run_id=3"])
    counts = "customer of run 1: 29 in, 17 out, 8 quarantined, 3 superseded, 0 erased, 1 too few"
    assert str(error.value) == f"rows were lost: {counts}"


def test_a_file_that_ingest_has_not_counted_is_named(path: WayToSilver) -> None:
    path.rows("DELETE FROM {}.bronze.deliveries WHERE file = 'customer/2026-01-01/good.csv' AND status = 'admitted'")
    with pytest.raises(reconcile.UnknownFilesError, match=r"1 files .* not counted: customer/2026-01-01/") as error:
        reconcile.main([f"--catalog={CATALOG}", "--date=2026-02-28", "--run_id=4"])
    tables = set(re.findall(r"(?:bronze|silver)\.\w+", str(error.value)))
    assert tables == {"bronze.customer", "silver.customer_versions", "silver.quarantine_customer"}
    for table in tables:
        path.rows(f"DELETE FROM {{}}.{table} WHERE _file LIKE '%-good-%'")
    assert reconcile.unknown_files(path.spark, path.run("4")) == []
