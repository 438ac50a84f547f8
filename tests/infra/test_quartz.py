"""Quartz expressions in settings: those that every reader of this project accepts or refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic_core import PydanticCustomError

from churn.core.faults import FaultsError
from infra.written.settings.quartz import check_quartz
from infra.written.stacks import read_settings
from tests.infra.stack_files import platform_of
from tests.quartz_cases import INVALID, VALID, QuartzCase

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize("case", VALID, ids=[case.expression for case in VALID])
def test_an_expression_that_quartz_reads(case: QuartzCase) -> None:
    assert check_quartz(case.expression) == case.expression, case.remark


@pytest.mark.parametrize("case", INVALID, ids=[case.expression for case in INVALID])
def test_an_expression_that_quartz_does_not_read(case: QuartzCase) -> None:
    with pytest.raises(PydanticCustomError):
        check_quartz(case.expression)


@pytest.mark.parametrize(
    "cron",
    [
        "0 0 5 * * ?",
        "0 0/5 14,18 ? * MON-FRI",
        "0 */10 22-2 ? jan,7-12 2#3",
        "0 05 5 L * ? 2026-2030",
        "0 0 5 L-3W 2/3 ?",
        "0 0 5 15W * ?",
        "0 0 5 ? * fril *",
    ],
)
def test_a_schedule_that_quartz_reads(altered: Callable[..., Path], cron: str) -> None:
    assert platform_of(altered({"churn:platform.daily.cron": cron})).daily.cron == cron


@pytest.mark.parametrize(
    ("cron", "said"),
    [
        ("0 0 5 * *", "six or seven fields .*; remedy: write a field for each unit"),
        ("0 0  5 * * ?", "six or seven fields"),
        ("0 0 5 * * ? * *", "six or seven fields"),
        ("0 0 5 ? * ?", r"exactly one .*; remedy: write \* instead of one \?"),
        ("0 0 5 * * *", r"exactly one .*; remedy: write \? instead of the one that restricts no days"),
        ("? 0 5 * * ?", r"seconds numbers from 0 to 59.*; remedy: replace '\?' in field 1"),
        ("0 60 5 * * ?", "minutes numbers from 0 to 59.*; remedy: replace '60' in field 2"),
        ("0 0 5- * * ?", "hours numbers from 0 to 23.*; remedy: replace '5-' in field 3"),
        ("0 0 1,,5 * * ?", "hours numbers.*; remedy: replace '' in field 3"),
        ("0 0 5 32 * ?", "day of month numbers from 1 to 31.*; remedy: replace '32' in field 4"),
        ("0 0 5 * JUNE ?", "month numbers from 1 to 12 or JAN to DEC.*; remedy: replace 'JUNE' in field 5"),
        ("0 0 5 ? * 0", "day of week numbers from 1 to 7 or SUN to SAT.*; remedy: replace '0' in field 6"),
        ("0 0 5 ? * 2#6", "day of week.*; remedy: replace '2#6' in field 6"),
        ("0 0/0 5 * * ?", "minutes.*; remedy: replace '0/0' in field 2"),
        ("0 0/ 5 * * ?", "minutes.*; remedy: replace '0/' in field 2"),
        ("0 0 5 * * ? 1969", "year numbers from 1970 to 2099.*; remedy: replace '1969' in field 7"),
    ],
)
def test_a_schedule_that_quartz_does_not_read(altered: Callable[..., Path], cron: str, said: str) -> None:
    with pytest.raises(FaultsError, match=rf"churn:platform\.daily\.cron: received .*{said}.* \(Quartz"):
        read_settings(altered({"churn:platform.daily.cron": cron}))
