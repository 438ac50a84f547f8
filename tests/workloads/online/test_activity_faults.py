"""The task `activity` when it, the online store or silver.events ends, is away or is missing."""

from __future__ import annotations

import signal
import subprocess
from datetime import timedelta
from typing import TYPE_CHECKING

import psutil
import psycopg
import pytest
from databricks.sdk.service import postgres

from churn.core.tables import STREAM_FRESHNESS
from churn.online import copies
from churn.online.connection import NoOnlineStoreError, OnlineStore, OnlineStoreAwayError
from churn.online.source import NoEventsError
from tests.small_disk import fill, small_disk
from tests.workloads.ml_world import CATALOG
from tests.workloads.online.live_stream import DATABASE, ENDPOINT, Stream, now, signal_of, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from databricks.sdk import WorkspaceClient

    from tests.local.conftest import LocalWorkspace
    from tests.workloads.ml_world import World

pytestmark = pytest.mark.timeout(3600)  # of twenty kills of PostgreSQL each takes a minute on a busy machine


def test_a_copy_that_was_not_marked_is_not_made_twice(stream: Stream, customers: list[str], world: World) -> None:
    stream.add(*signal_of(customers[0], "copied"))
    stream.catch_up()
    for name, table in copies.COPIED.items():
        before = world.spark.table(f"{CATALOG}.{table.name}").count()
        assert before
        stream.rows(f"UPDATE churn.{name} SET copied = false RETURNING 1")
        with stream.store.connect() as connection:
            assert copies.copy(connection, world.spark, CATALOG) == before
        assert world.spark.table(f"{CATALOG}.{table.name}").count() == before


def test_no_event_is_lost_or_counted_twice_by_kills(
    stream: Stream, customers: list[str], task: Callable[..., subprocess.Popen[str]], kills: int
) -> None:
    for number in range(kills):
        stream.add(*signal_of(customers[4], f"kill {number}"), *[{"customer_id": "k", "kind": "session_start"}] * 50)
        with stream.store.connect() as blocker, blocker.transaction():
            # The last step of a batch waits here: all others are done, and nothing is committed.
            blocker.execute("LOCK TABLE churn.freshness IN ACCESS EXCLUSIVE MODE")
            process = task()
            waits = "SELECT count(*) FROM pg_locks WHERE NOT granted"
            wait_until(lambda: stream.rows(waits) != [(0,)])  # noqa: B023 (called at once)
            process.kill()
            process.wait()
            assert stream.days() != stream.days_of_silver()
    stream.catch_up()
    assert stream.days() == stream.days_of_silver()
    scored = stream.rows("SELECT session_id FROM churn.scores WHERE starts_with(session_id, 'kill') ORDER BY 1")
    assert scored == sorted((f"kill {number}",) for number in range(kills))


def test_no_event_is_lost_or_counted_twice_by_kills_of_the_store(
    stream: Stream,
    customers: list[str],
    task: Callable[..., subprocess.Popen[str]],
    workspace: LocalWorkspace,
    kills: int,
) -> None:
    """The task goes on by itself: a batch whose transaction PostgreSQL lost is taken over again."""
    process = task()
    for number in range(kills):
        blocker = stream.store.connect()
        blocker.execute("BEGIN")
        blocker.execute("LOCK TABLE churn.freshness IN ACCESS EXCLUSIVE MODE")  # the last step of a batch waits
        stream.add(*signal_of(customers[3], f"lost {number}"), *[{"customer_id": "s", "kind": "login"}] * 50)
        wait_until(lambda: stream.rows("SELECT count(*) FROM pg_locks WHERE NOT granted") != [(0,)])
        _kill_postgres(workspace)
        with pytest.raises(psycopg.OperationalError):
            blocker.execute("COMMIT")
        wait_until(lambda: _is_caught_up(stream))
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    scored = stream.rows("SELECT session_id FROM churn.scores WHERE starts_with(session_id, 'lost') ORDER BY 1")
    assert scored == sorted((f"lost {number}",) for number in range(kills))


def _kill_postgres(workspace: LocalWorkspace) -> None:
    """Kills the server and all that it has started, as a lost machine would."""
    [file] = workspace.settings.home.glob("postgres/*/**/postmaster.pid")
    server = psutil.Process(int(file.read_text().split()[0]))
    for process in [server, *server.children(recursive=True)]:
        process.kill()


def _is_caught_up(stream: Stream) -> bool:
    try:
        return stream.days() == stream.days_of_silver()
    except (psycopg.OperationalError, OnlineStoreAwayError):
        return False


def disable(workspace: LocalWorkspace, disabled: bool) -> None:
    """Ends the server of the online store, or starts it again."""
    spec = postgres.EndpointSpec(endpoint_type=postgres.EndpointType.ENDPOINT_TYPE_READ_WRITE, disabled=disabled)
    mask = postgres.FieldMask(field_mask=["spec"])
    workspace.client().postgres.update_endpoint(ENDPOINT, postgres.Endpoint(spec=spec), mask).wait()
    if disabled:  # which is said before the server has ended
        wait_until(lambda: not any(workspace.settings.home.glob("postgres/*/data/postmaster.pid")))


def test_a_full_disk_of_the_store_is_said_and_nothing_is_lost(
    stream: Stream,
    customers: list[str],
    task: Callable[..., subprocess.Popen[str]],
    workspace: LocalWorkspace,
    request: pytest.FixtureRequest,
) -> None:
    """The task fails in words, as its job starts it again; once there is room, the rest is taken over."""
    if not request.config.getoption("--soak"):
        pytest.skip("it takes minutes: only with --soak")
    [folder] = workspace.settings.home.glob("postgres/*")
    disable(workspace, True)
    with small_disk(folder, 256):
        disable(workspace, False)
        wait_until(lambda: _answers(stream))
        fill(folder)
        many = [{"customer_id": f"full {number}", "kind": "login"} for number in range(20_000)]
        stream.add(*many, *signal_of(customers[2], "full"))
        process = task(until_caught_up=1)
        said = _said_until_the_end(process, 300)
        assert process.returncode, said
        assert "No space left on device" in said
        (folder / "filler").unlink()
        wait_until(lambda: _answers(stream))
        stream.catch_up()
        assert stream.days() == stream.days_of_silver()
        disable(workspace, True)
    disable(workspace, False)
    wait_until(lambda: _answers(stream))
    assert stream.days() == stream.days_of_silver()
    assert stream.rows("SELECT count(*) FROM churn.scores WHERE session_id = 'full'") == [(1,)]


def _said_until_the_end(process: subprocess.Popen[str], seconds: float) -> str:
    """What a process prints until it ends by itself. One that does not, since it waits for the store, is a failure."""
    try:
        return process.communicate(timeout=seconds)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        pytest.fail(f"it still runs after {seconds:.0f} s: {process.communicate()[0]}")


def _answers(stream: Stream) -> bool:
    try:
        return bool(stream.rows("SELECT 1"))
    except (psycopg.OperationalError, OnlineStoreAwayError):
        return False


def test_it_waits_for_the_store_and_stops_after_a_whole_round(
    stream: Stream, task: Callable[..., subprocess.Popen[str]], workspace: LocalWorkspace
) -> None:
    """Its tables of the lake can be read, by the alert on lag for one, before there is an event."""
    spark, freshness = stream.world.spark, f"{CATALOG}.{STREAM_FRESHNESS.name}"
    spark.sql(f"DROP TABLE IF EXISTS {freshness}").collect()
    process = task()
    assert process.stdout
    wait_until(lambda: spark.catalog.tableExists(freshness))
    stream.add({"customer_id": "w", "kind": "login"})
    wait_until(lambda: stream.days() == stream.days_of_silver())
    disable(workspace, True)
    lines = []
    while len([line for line in lines if "is away" in line]) < 3:
        lines.append(process.stdout.readline())
        assert process.poll() is None, lines
    waits = [line.partition("next try in ")[2].partition(" s")[0] for line in lines if "is away" in line]
    assert waits == ["1", "2", "4"]
    stream.add({"customer_id": "w", "kind": "login"})
    disable(workspace, False)
    wait_until(lambda: stream.days() == stream.days_of_silver())
    process.send_signal(signal.SIGTERM)
    rest = process.stdout.read()
    assert (process.wait(60), rest.splitlines()[-1]) == (0, "stopped, after a whole round")
    assert " left): 1 events, " in rest


def test_a_table_that_was_made_anew_is_taken_over_anew(stream: Stream) -> None:
    stream.make()
    stream.add({"customer_id": "n", "kind": "session_start"})
    stream.catch_up()
    assert stream.days() == stream.days_of_silver() != []


def test_what_is_missing_is_named(stream: Stream, models: WorkspaceClient) -> None:
    stream.make(feed="false")
    with pytest.raises(NoEventsError, match=r"no change feed: its pipeline sets delta\.enableChangeDataFeed"):
        stream.catch_up()
    stream.world.spark.sql(f"DROP TABLE {stream.table}").collect()
    with pytest.raises(NoEventsError, match="run the pipeline churn_stream first"):
        stream.catch_up()
    missing = OnlineStore(models, ENDPOINT.replace("online", "none"), DATABASE, "disable")
    with pytest.raises(NoOnlineStoreError, match="deploy it"):
        missing.connect()


def test_a_password_is_used_again_until_it_is_about_to_expire(stream: Stream) -> None:
    with pytest.MonkeyPatch.context() as patch:
        made = []
        generate = stream.store.client.postgres.generate_database_credential

        def counted(endpoint: str) -> postgres.DatabaseCredential:
            made.append(generate(endpoint))
            return made[-1]

        patch.setattr(stream.store.client.postgres, "generate_database_credential", counted)
        fresh = OnlineStore(stream.store.client, ENDPOINT, DATABASE, "disable")
        fresh.connect().close()
        fresh.connect().close()
        assert len(made) == 1
        fresh._expires = now() + timedelta(minutes=4)
        with fresh.connect() as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert len(made) == 2
        patch.setattr(fresh, "_password", "wrong")
        with pytest.raises(Exception, match="authentication failed"):
            fresh.connect()
        assert fresh._expires is None
        assert isinstance(fresh.connect(), psycopg.Connection)
        assert len(made) == 3
