"""A server for each module of tests, and a program for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.settings import LocalSettings
from tests.local.aws.local_aws import AwsProgram, LocalAws
from tests.ports import free_base_port

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """A server that runs."""
    server = LocalAws(LocalSettings(tmp_path_factory.mktemp("aws"), free_base_port()))
    server.start()
    yield server
    server.stop()
    assert server.brokers() == []


@pytest.fixture
def program(aws: LocalAws, tmp_path: pytest.TempPathFactory) -> Iterator[AwsProgram]:
    """A program whose resources are destroyed at the end."""
    made = AwsProgram.of(aws, tmp_path)
    yield made
    made.run("destroy", "--yes", "--skip-preview")
