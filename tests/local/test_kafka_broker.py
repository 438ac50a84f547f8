"""A broker's storage is formatted under an id that Kafka's own tool reads, whichever the random one is."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from local.aws.kafka import broker
from tests.local.kafka import TestBroker
from tests.ports import free_base_port

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

LIKE_AN_OPTION = uuid.UUID(bytes=b"\xf8" + bytes(15))
"""Base64 writes this id with a hyphen in front."""


def test_an_id_that_looks_like_an_option_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = uuid.UUID(int=1)
    ids = iter((LIKE_AN_OPTION, good))
    monkeypatch.setattr(broker.uuid, "uuid4", lambda: next(ids))
    kafka = TestBroker(tmp_path, free_base_port())

    kafka.start()

    kafka.stop()
    written = (tmp_path / "data" / "meta.properties").read_text()
    assert f"cluster.id={'A' * 21}Q" in written
    assert next(ids, None) is None
