"""Quartz expressions that every reader of this project accepts or refuses.

Two readers exist, which import nothing of each other: that of the settings, and that of the local workspace. Both are
tested with these cases, so that a schedule that passes the settings also runs. Source: Quartz's CronExpression and its
tutorial (https://www.quartz-scheduler.org/documentation/quartz-2.5.x/tutorials/crontrigger.html). This module imports
nothing of either reader.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class QuartzCase:
    """One expression.

    Attributes:
        expression: The expression.
        valid: Whether a reader must accept it.
        remark: What the case shows.
    """

    expression: str
    valid: bool
    remark: str


VALID = (
    QuartzCase("0 0 5 * * ?", True, "every day"),
    QuartzCase("0 0 5 * * ? *", True, "seven fields"),
    QuartzCase("0 0 5 ? * *", True, "the day of month may be the free one"),
    QuartzCase("0 0/5 14,18 * * ?", True, "a step and a list"),
    QuartzCase("0 0-5 14 * * ?", True, "a range"),
    QuartzCase("0 10-40/15 14 * * ?", True, "a step in a range"),
    QuartzCase("0 */20 * * * ?", True, "a step of all values"),
    QuartzCase("0 /20 * * * ?", True, "a step without a start counts from the lowest value, as */20"),
    QuartzCase("00 05 05 01 01 ?", True, "leading zeros"),
    QuartzCase("0 0 22-4 * * ?", True, "hours over midnight"),
    QuartzCase("0 0 22-4/2 * * ?", True, "hours over midnight with a step"),
    QuartzCase("0 0 5 ? JAN,MAR,SEP MON-FRI", True, "names"),
    QuartzCase("0 0 5 ? jan mon", True, "names in small letters"),
    QuartzCase("0 0 5 ? * FRI-MON", True, "days over the end of the week"),
    QuartzCase("0 0 5 L * ?", True, "the last day of the month"),
    QuartzCase("0 0 5 L-3 * ?", True, "three days before the last"),
    QuartzCase("0 0 5 L-30 * ?", True, "the largest distance from the last day"),
    QuartzCase("0 0 5 LW * ?", True, "the last weekday of the month"),
    QuartzCase("0 0 5 L-3W * ?", True, "the weekday nearest to three days before the last"),
    QuartzCase("0 0 5 15W * ?", True, "the weekday nearest to the 15th"),
    QuartzCase("0 0 5 1W * ?", True, "the weekday nearest to the 1st"),
    QuartzCase("0 0 5 31W * ?", True, "the weekday nearest to the 31st, in months that have one"),
    QuartzCase("0 0 5 ? * L", True, "Saturday"),
    QuartzCase("0 0 5 ? * 6L", True, "the last Friday of the month"),
    QuartzCase("0 0 5 ? * FRIL", True, "the last Friday of the month, by name"),
    QuartzCase("0 0 5 ? * 6#3", True, "the third Friday of the month"),
    QuartzCase("0 0 5 ? * FRI#3", True, "the third Friday of the month, by name"),
    QuartzCase("0 0 5 31 2 ?", True, "a day that never comes"),
    QuartzCase("0 0 5 1 1 ? 1970", True, "the first year"),
    QuartzCase("0 0 5 1 1 ? 2099", True, "the last year"),
    QuartzCase("0 0 5 1 1 ? 2026-2030", True, "a range of years"),
)
INVALID = (
    QuartzCase("", False, "nothing"),
    QuartzCase("0 0 5 * *", False, "five fields"),
    QuartzCase("0 0 5 * * ? * *", False, "eight fields"),
    QuartzCase("0 0 5 * * *", False, "both day fields say something"),
    QuartzCase("0 0 5 ? * ?", False, "neither day field says anything"),
    QuartzCase("? 0 5 * * ?", False, "? is for days alone"),
    QuartzCase("0 0 5 ?/2 * MON", False, "? has no step"),
    QuartzCase("60 0 5 * * ?", False, "second 60"),
    QuartzCase("0 60 5 * * ?", False, "minute 60"),
    QuartzCase("0 0 24 * * ?", False, "hour 24"),
    QuartzCase("0 0 5 0 * ?", False, "day 0"),
    QuartzCase("0 0 5 32 * ?", False, "day 32"),
    QuartzCase("0 0 5 1 13 ?", False, "month 13"),
    QuartzCase("0 0 5 ? * 0", False, "day of week 0, which is Sunday in other crons"),
    QuartzCase("0 0 5 ? * 8", False, "day of week 8"),
    QuartzCase("0 0 5 ? * MO", False, "a name too short"),
    QuartzCase("0 0 5 ? * MONDAY", False, "a name too long; Quartz itself reads MON and ignores the rest"),
    QuartzCase("0 0 5 MON * ?", False, "a name in the wrong field"),
    QuartzCase("0 0/0 5 * * ?", False, "step 0"),
    QuartzCase("0 0/60 5 * * ?", False, "a step larger than the largest minute"),
    QuartzCase("0 0 0/24 * * ?", False, "a step larger than the largest hour"),
    QuartzCase("0 / 5 * * ?", False, "/ without a step"),
    QuartzCase("0 0/ 5 * * ?", False, "/ without a step, after a start"),
    QuartzCase("0 0/x 5 * * ?", False, "a step that is no number"),
    QuartzCase("0 0, 5 * * ?", False, "a list with an empty part; Quartz itself ignores it"),
    QuartzCase("0 -5 5 * * ?", False, "a range without a start"),
    QuartzCase("0 5- 5 * * ?", False, "a range without an end"),
    QuartzCase("0 0 5 L-31 * ?", False, "more than 30 days before the last"),
    QuartzCase("0 0 5 0W * ?", False, "the weekday nearest to day 0"),
    QuartzCase("0 0 5 32W * ?", False, "the weekday nearest to day 32"),
    QuartzCase("0 0 5 1,15W * ?", False, "W in a list, which its tutorial excludes"),
    QuartzCase("0 0 5 1-15W * ?", False, "W in a range"),
    QuartzCase("0 L 5 * * ?", False, "L in the wrong field"),
    QuartzCase("0 0 5 ? * LW", False, "LW as day of week"),
    QuartzCase("0 0 5 ? * 2,6L", False, "L with other days of the week"),
    QuartzCase("0 0 5 ? * 6#0", False, "the zeroth Friday"),
    QuartzCase("0 0 5 ? * 6#6", False, "the sixth Friday"),
    QuartzCase("0 0 5 ? * 6#2,6#3", False, "# twice"),
    QuartzCase("0 0 5 1 1 ? 1969", False, "a year before the first"),
    QuartzCase("0 0 5 1 1 ? 2100", False, "a year after the last"),
    QuartzCase("0 0 5 1 1 ? 2150", False, "a year long after the last"),
    QuartzCase("0 0 5 1 1 ? 2030-2026", False, "years in the wrong order"),
    QuartzCase("0 0 5 * * ? 2026 UTC", False, "a time zone"),
)
CASES = (*VALID, *INVALID)
