"""Quartz expressions in settings: those that every reader of this project accepts or refuses."""

from __future__ import annotations

import pytest
from pydantic_core import PydanticCustomError

from infra.written.settings.quartz import check_quartz
from tests.quartz_cases import INVALID, VALID, QuartzCase


@pytest.mark.parametrize("case", VALID, ids=[case.expression for case in VALID])
def test_an_expression_that_quartz_reads(case: QuartzCase) -> None:
    assert check_quartz(case.expression) == case.expression, case.remark


@pytest.mark.parametrize("case", INVALID, ids=[case.expression for case in INVALID])
def test_an_expression_that_quartz_does_not_read(case: QuartzCase) -> None:
    with pytest.raises(PydanticCustomError):
        check_quartz(case.expression)
