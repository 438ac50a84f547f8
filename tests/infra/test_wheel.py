"""The wheel that the program uploads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from churn.core.faults import FaultsError
from infra.written.wheel import find_wheel

if TYPE_CHECKING:
    from pathlib import Path


def test_the_one_wheel_is_found(tmp_path: Path) -> None:
    wheel = tmp_path / "churn-0.1.0-py3-none-any.whl"
    with pytest.raises(FaultsError, match=r"workloads/dist: received 0 wheels; .*remedy: run make wheel"):
        find_wheel(tmp_path)
    wheel.touch()
    assert find_wheel(tmp_path) == wheel
    (tmp_path / "churn-0.2.0-py3-none-any.whl").touch()
    with pytest.raises(FaultsError, match=r"received 2 wheels, churn-0\.1\.0"):
        find_wheel(tmp_path)
