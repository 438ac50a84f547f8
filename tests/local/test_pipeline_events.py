"""The end of an update, which waits for the last events of its streams."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from local.spark import pipeline_events
from local.spark.pipeline_events import Metrics

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize(("wait", "order"), [(3600.0, ["told", "removed"]), (0.0, ["removed"])])
def test_it_waits_for_what_streams_have_to_tell_but_not_for_ever(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, wait: float, order: list[str]
) -> None:
    seen: list[str] = []
    bus = SimpleNamespace(_execution_thread=None, _listener_bus=[])
    client = SimpleNamespace(execute_command=lambda _: seen.append("removed"))
    spark: Any = SimpleNamespace(client=client, streams=SimpleNamespace(_sqlb=bus))
    nothing: Any = None
    metrics = Metrics(nothing, nothing, tmp_path)
    metrics.streams = 1

    def tell() -> None:
        seen.append("told")
        metrics.onQueryTerminated(SimpleNamespace(runId="r"))

    monkeypatch.setattr(pipeline_events, "TERMINATED_WAIT_SECONDS", wait)
    teller = threading.Timer(0.3, tell)
    if wait:
        teller.start()
    metrics.drain(spark)
    assert seen == order
    assert metrics.ended == ({"r"} if wait else set())
