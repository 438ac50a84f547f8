"""The task `erase` with real files, Spark, Delta and pipelines: a customer in every place, of whom nothing is left."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from churn.core import erased
from churn.core.erased import KEY, hashed
from churn.core.tables import LABELS
from churn.erasure import erase, files, retain
from churn.erasure import tables as erasure_tables
from churn.erasure.requests import WrongRequestError
from churn.ingestion import ingest
from churn.transforms import reconcile, removal
from churn.transforms.removal import SilverBehindError
from tests.workloads.erasure.erasing import (
    ALIKE,
    DELIVERED,
    FILES,
    GOLD,
    GONE,
    OTHER,
    SCOPE,
    ask,
    contents,
    customers,
    end_history,
    named_in,
    of_others,
    put_events,
    put_gold,
    rows_of,
    run_erase,
    text,
    ticket,
)
from tests.workloads.way_to_silver import WayToSilver

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

    from local.settings import LocalSettings
    from tests.local.conftest import LocalWorkspace

CATALOG = "churn_erasure"
SECRET = b"of the tests"


class Killed(BaseException):
    """The end of a process in the middle of its work."""


@pytest.fixture(scope="module")
def way(
    spark: SparkSession, spark_home: LocalSettings, workspace: LocalWorkspace, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WayToSilver]:
    """Two customers in every place: files, tables of files, of events and of gold."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_REMOTE", spark_home.spark_remote)
        made = WayToSilver(workspace, spark, tmp_path_factory.mktemp("storage"), CATALOG)
        made.client.secrets.create_scope(SCOPE)
        made.client.secrets.put_secret(SCOPE, KEY, string_value=SECRET.decode())
        made.deliver(FILES)
        made.take_in("1")
        put_gold(made)
        put_events(made)
        yield made


def refresh(way: WayToSilver, *arguments: str) -> None:
    """Makes silver's views anew, and accounts for every row."""
    update = way.update("silver", *arguments)
    assert update.returncode == 0, update.stdout[-3000:] + update.stderr[-3000:]
    reconcile.main([f"--catalog={CATALOG}", "--date=2026-02-28", "--run_id=1"])


def removed(way: WayToSilver, customer: str) -> dict[str, int]:
    """Rows that were removed of a customer, by place."""
    cause = hashed(SECRET, customer)
    query = "SELECT place, coalesce(sum(rows), 0) AS rows FROM {}.mlops.erased_rows"
    return {row.place: row.rows for row in way.rows(f"{query} WHERE cause = '{cause}' GROUP BY place")}


def account(way: WayToSilver, run_id: str) -> dict[str, tuple[int, int]]:
    """Rows in and erased rows of a run, by table."""
    rows = way.rows(f"SELECT table, rows_in, erased FROM {{}}.mlops.row_accounting WHERE run_id = '{run_id}'")
    return {row.table: (row.rows_in, row.erased) for row in rows}


def lines_of_others(data: bytes) -> list[bytes]:
    return [line for line in data.splitlines() if GONE.encode() not in line or ALIKE.encode() in line]


def test_a_customer_in_every_place_is_erased_and_the_others_stay(
    way: WayToSilver, capsys: pytest.CaptureFixture[str]
) -> None:
    before, files_before, account_before = of_others(way, GONE), contents(way), account(way, "1")
    assert len(named_in(way, GONE)) > 30
    request = ask(way, GONE)
    run_erase(way, "erase")
    refresh(way)
    after, files_after = of_others(way, GONE), contents(way)
    assert after == before, "rows of others are the same, value by value"
    counts = removed(way, GONE)
    assert {each: counts[f"bronze.{each}"] for each in DELIVERED[GONE]} == DELIVERED[GONE]
    streamed = {name: counts[name] for name in ("bronze.events", "silver.events", "silver.quarantine_events")}
    assert streamed == {"bronze.events": 3, "silver.events": 1, "silver.quarantine_events": 2}
    assert {table.name: counts[table.name] for table in GOLD} == dict.fromkeys((table.name for table in GOLD), 1)
    assert counts["landing.customer"] == 1
    assert account(way, "1") == {
        table: (rows, DELIVERED[GONE].get(table, 0)) for table, (rows, _) in account_before.items()
    }
    assert rows_of(way, GONE) == []
    gone = files_before.keys() - files_after.keys()
    assert [file for file in gone if "aside" in file] == sorted(gone), "set aside whole, with the customer"
    assert len(gone) == 1
    for file, data in files_before.items():
        if "admitted" in file and file.endswith("csv"):
            assert files_after[file].splitlines() == lines_of_others(data)
    assert request not in [secret.key for secret in way.client.secrets.list_secrets(SCOPE)]
    [row] = way.rows("SELECT * FROM {}.mlops.erasures")
    assert (row.customer, row.requested_by, row.secret) == (hashed(SECRET, GONE), "clerk@churn.local", "erasure/key")
    assert GONE not in capsys.readouterr().out


def test_files_that_wait_keep_their_order(way: WayToSilver) -> None:
    folder = way.client.files.list_directory_contents(f"/Volumes/{CATALOG}/landing/customer/2026-03-01")
    assert [entry.name for entry in sorted(folder, key=lambda entry: entry.last_modified or 0)] == [
        "waits.csv",
        "waits_too.csv",
    ]


def test_what_is_delivered_later_is_kept_out_and_counted(way: WayToSilver, capsys: pytest.CaptureFixture[str]) -> None:
    ask(way, "unknown")
    run_erase(way, "nobody")
    assert "no row was found; what comes later is kept out" in capsys.readouterr().out
    way.deliver(
        {
            "customer/2026-01-01/all.csv": FILES["customer/2026-01-01/all.csv"],
            "customer/2026-01-09/all.csv": text(customers(GONE, OTHER, ALIKE, "unknown")).encode(),
            "support/2026-01-09/text.csv": FILES["support/2026-01-01/text.csv"],
            "customer/2026-01-09/left.csv": text(customers("left", ChurnDate="2026-01-05", Status="left")).encode(),
            "support/2026-01-09/old.csv": text(pd.DataFrame([ticket("s-8", ALIKE), ticket("s-9", ALIKE)])).encode(),
        }
    )
    way.take_in("2")
    assert "5 files delivered: 4 admitted, 0 quarantined, 1 duplicate" in capsys.readouterr().out
    again = account(way, "2")
    assert (again["customer"], again["support"]) == ((5, 2), (4, 1))
    assert rows_of(way, GONE) == []
    mentions = rows_of(way, "unknown")
    assert len(mentions) == 2, "in bronze and in quarantine"
    assert all(ALIKE in line for line in mentions), "a row of somebody else's"


def test_nothing_is_removed_while_silver_has_not_read_bronze(way: WayToSilver) -> None:
    way.deliver({"marketing/2026-01-10/more.csv": FILES["marketing/2026-01-01/touches.csv"].replace(b"m-", b"n-")})
    ingest.main([f"--catalog={CATALOG}", "--date=2026-02-28", "--run_id=3"])
    assert way.update("bronze").returncode == 0
    request, before = ask(way, OTHER), contents(way)
    with pytest.raises(SilverBehindError, match=r"has not read 1 files of bronze: marketing/2026-01-10/.*; repair the"):
        run_erase(way, "too early")
    with pytest.raises(SilverBehindError):
        retain.main([f"--catalog={CATALOG}", "--date=2029-05-20", "--run_id=too early"])
    assert contents(way) == before
    assert removed(way, OTHER) == {}
    way.client.secrets.delete_secret(SCOPE, request)
    refresh(way)


@pytest.fixture(scope="module")
def operations(request: pytest.FixtureRequest) -> tuple[int, ...]:
    """After how many changes of files and tables an erasure is killed, one time after the other."""
    return (2, 5, 11, 17) if request.config.getoption("--soak") else (9,)


def test_an_erasure_that_is_killed_goes_on_and_a_full_refresh_brings_nobody_back(
    way: WayToSilver, operations: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = account(way, "1")
    request = ask(way, OTHER)
    for operation in operations:
        with monkeypatch.context() as patch:
            kill_after(patch, operation)
            with pytest.raises(Killed):
                run_erase(way, f"killed {operation}")
        assert request in [secret.key for secret in way.client.secrets.list_secrets(SCOPE)]
    run_erase(way, "after")
    run_erase(way, "once more")
    refresh(way, "--full-refresh-all")
    expected = {table: (rows, erased + DELIVERED[OTHER].get(table, 0)) for table, (rows, erased) in before.items()}
    assert account(way, "1") == expected
    counts = removed(way, OTHER)
    assert {each: counts[f"bronze.{each}"] for each in DELIVERED[OTHER]} == {
        **DELIVERED[OTHER],
        "customer": DELIVERED[OTHER]["customer"] + 1,  # of the second run, in which both were delivered again
        "support": DELIVERED[OTHER]["support"] + 1,
        "marketing": DELIVERED[OTHER]["marketing"] + 1,  # of the third run
    }
    end_history(way)
    assert named_in(way, OTHER) == named_in(way, GONE) == []


def kill_after(patch: pytest.MonkeyPatch, operations: int) -> None:
    """Kills what follows after a number of changes of files and tables."""
    done = 0

    def counted(change: Any) -> Any:
        def changing(*arguments: Any, **options: Any) -> Any:
            nonlocal done
            if done == operations:
                raise Killed
            done += 1
            return change(*arguments, **options)

        return changing

    patch.setattr(files.Files, "_write", counted(files.Files._write))
    patch.setattr(files.Files, "clean_quarantine", counted(files.Files.clean_quarantine))
    for module in (removal, erasure_tables):
        patch.setattr(module, "delete_same", counted(removal.delete_same))
    for module in (erase, files, erasure_tables):
        patch.setattr(module, "record", counted(erased.record))


def test_what_is_older_than_its_retention_goes_and_what_holds_stays(
    way: WayToSilver, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = account(way, "2")
    files_before = contents(way)
    with monkeypatch.context() as patch:
        kill_after(patch, 2)  # of the customers, silver has lost the rows and bronze has them
        with pytest.raises(Killed):
            retain.main([f"--catalog={CATALOG}", "--date=2029-05-25", "--run_id=killed"])
    assert way.update("silver").returncode == 0
    with monkeypatch.context() as patch:
        patch.setattr(retain, "TABLES", (LABELS,))
        retain.main([f"--catalog={CATALOG}", "--date=2029-06-01", "--run_id=retain"])
    refresh(way)
    after = account(way, "2")
    assert after["support"] == (4, 4), "tickets of three years ago, two of them erased before"
    assert after["customer"] == (before["customer"][0], before["customer"][1] + 1), "who has left, three years ago"
    left = {row.customer_id for row in way.rows("SELECT DISTINCT customer_id FROM {}.silver.customer_versions")}
    assert left == {ALIKE}, "who stays is kept, whenever the last report came"
    assert way.rows("SELECT * FROM {}.silver.support_versions") == []
    gone = files_before.keys() - contents(way).keys()
    assert any("quarantine" in file for file in gone), "set aside more than a month ago"
    assert any("admitted/support" in file for file in gone), "no row of it is left"
    assert not any("admitted/customer" in file and "all" in file for file in gone)
    for table in GOLD:
        assert way.rows(f"SELECT * FROM {{}}.{table.name}") == []
    assert way.rows("SELECT * FROM {}.bronze.events") == []


def test_a_request_without_a_customer_is_said(way: WayToSilver) -> None:
    way.client.secrets.put_secret(SCOPE, "request-blank", string_value=json.dumps({"customer": " "}))
    with pytest.raises(WrongRequestError, match="the request request-blank names no customer"):
        run_erase(way, "blank")
    way.client.secrets.delete_secret(SCOPE, "request-blank")


def test_without_the_key_nothing_is_taken_in(way: WayToSilver) -> None:
    way.client.secrets.delete_secret(SCOPE, KEY)
    with pytest.raises(erased.NoKeyError, match="there is no secret erasure/key"):
        way.take_in("without the key")
