"""Rules over several values of a stack's settings. `broken_rules` applies all of them, so that all are reported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from churn.core.label_window import LabelWindow
from infra.written.sections import BrokenRule
from infra.written.settings.aws_rules import AWS_RULES
from infra.written.settings.databricks_rules import DATABRICKS_RULES
from infra.written.settings.quartz import skipped_time
from infra.written.settings.stream_rules import STREAM_RULES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from infra.written.settings.stack import Settings


def _has_a_layer(settings: Settings) -> Iterator[BrokenRule]:
    """Requires at least one layer."""
    if not (settings.account or settings.ground or settings.platform):
        remedy = "add churn:account, or churn:ground with churn:platform"
        yield BrokenRule(place=(), received={}, allowed="one layer or more", remedy=remedy)


def _stands_on_ground(settings: Settings) -> Iterator[BrokenRule]:
    """Requires a ground beside a platform."""
    if settings.platform and not settings.ground:
        yield BrokenRule(
            place=("churn:ground",),
            received=None,
            allowed="a ground beside churn:platform, which stands on it",
            remedy="add churn:ground with aws, with stack, or with storage_root, which may be null",
        )


def _one_form_of_ground(settings: Settings) -> Iterator[BrokenRule]:
    """Requires one form of ground: what to make in AWS, the stack that has it, or storage that exists."""
    if settings.ground and settings.ground.model_fields_set & {"storage_root", "stack", "aws"} not in (
        {"storage_root"},
        {"aws"},
        {"stack"},
    ):
        yield BrokenRule(
            place=("churn:ground",),
            received=settings.ground.model_dump(exclude_unset=True),
            allowed="one of aws, stack, and storage_root, which may be null",
            remedy="write aws alone where this stack makes its storage, since the catalog lies there; write "
            "storage_root: null where the metastore has a root",
        )


def _kafka_is_of_another_stack(settings: Settings) -> Iterator[BrokenRule]:
    """Refuses `kafka` where it would say twice, or wrongly, what `aws` says."""
    if settings.ground and settings.ground.kafka and settings.ground.stack is None:
        yield BrokenRule(
            place=("churn:ground", "kafka"),
            received=True,
            allowed="true beside stack alone: it says what the ground of another stack has",
            remedy="remove it; aws.kafka or aws.adopted_kafka is Kafka of this stack",
        )


def _roles_have_their_own_groups(settings: Settings) -> Iterator[BrokenRule]:
    """Refuses one group for two roles, since grants differ by role; one group may deliver several domains."""
    holders: dict[str, str] = {}
    for role, group in settings.platform.groups.by_role.items() if settings.platform else ():
        kind = role.partition(".")[0]
        if holders.setdefault(group, kind) != kind:
            yield BrokenRule(
                place=("churn:platform", "groups", *role.split(".")),
                received=group,
                allowed=f"a group of its own: grants differ by role, and {holders[group]} has this one",
                remedy=f"name another group for {role}",
            )


def _simulation_has_a_date(settings: Settings) -> Iterator[BrokenRule]:
    """Requires the day on which a simulated world begins."""
    simulation = settings.platform.simulation if settings.platform else None
    if simulation and simulation.enabled and simulation.snapshot_date is None:
        yield BrokenRule(
            place=("churn:platform", "simulation", "snapshot_date"),
            received=None,
            allowed="a date when simulation.enabled is true",
            remedy="add the day that IBM Telco's table stands for, quoted",
        )


def _production_is_not_simulated(settings: Settings) -> Iterator[BrokenRule]:
    """Refuses simulation in production, since simulated rows must not mix with real ones."""
    if settings.production and settings.platform and settings.platform.simulation.enabled:
        yield BrokenRule(
            place=("churn:platform", "simulation", "enabled"),
            received=True,
            allowed=f"false in {settings.stack}: simulated rows must not mix with real ones",
            remedy="let source systems deliver, or simulate in a stack that is not production",
        )


def _production_days_move(settings: Settings) -> Iterator[BrokenRule]:
    """Refuses a fixed logical date in production."""
    logical = settings.platform.daily.logical_date if settings.platform else None
    if settings.production and logical is not None:
        yield BrokenRule(
            place=("churn:platform", "daily", "logical_date"),
            received=logical,
            allowed=f"null in {settings.stack}: a fixed day would be scored for ever",
            remedy="leave logical_date out; a run for another day takes it as its parameter date",
        )


def _a_fixed_day_is_the_day(settings: Settings) -> Iterator[BrokenRule]:
    """Refuses days behind beside a fixed logical date."""
    daily = settings.platform.daily if settings.platform else None
    if daily and daily.logical_date is not None and daily.days_behind:
        yield BrokenRule(
            place=("churn:platform", "daily", "days_behind"),
            received=daily.days_behind,
            allowed="0 beside daily.logical_date, a fixed day that nothing is taken from",
            remedy="write the earlier day as logical_date, or remove logical_date",
        )


def _no_clock_change_skips_the_day(settings: Settings) -> Iterator[BrokenRule]:
    """Refuses a schedule whose times a clock change skips: that day would not be scored."""
    daily = settings.platform.daily if settings.platform else None
    if daily and (skipped := skipped_time(daily.cron, daily.timezone)):
        yield BrokenRule(
            place=("churn:platform", "daily", "cron"),
            received=daily.cron,
            allowed=f"a time that the clocks of {daily.timezone} show on every day: they are put forward on "
            f"{skipped:%Y-%m-%d} and skip {skipped:%H:%M}, so that no run would start",
            remedy="choose a time outside of the clock changes, such as 0 0 5 * * ?, or the timezone UTC",
        )


def _no_day_before_the_simulated_world(settings: Settings) -> Iterator[BrokenRule]:
    """Refuses a fixed logical date before the simulated world."""
    if not settings.platform or not settings.platform.simulation.enabled:
        return
    snapshot, logical = settings.platform.simulation.snapshot_date, settings.platform.daily.logical_date
    if snapshot and logical and logical < snapshot:
        yield BrokenRule(
            place=("churn:platform", "daily", "logical_date"),
            received=logical,
            allowed=f"simulation.snapshot_date {snapshot} or a later day",
            remedy="choose a later day, or an earlier snapshot_date",
        )


def _history_is_deep_enough(settings: Settings) -> Iterator[BrokenRule]:
    """Requires so much history that a label is complete by the day on which the model is judged."""
    training = settings.platform.training if settings.platform else None
    if training is None:
        return
    needed = 2 * LabelWindow(training.lead_days, training.horizon_days, training.settle_days).days + 7
    if training.history_days < needed:
        yield BrokenRule(
            place=("churn:platform", "training", "history_days"),
            received=training.history_days,
            allowed=f"{needed} or more: a week and twice lead_days, horizon_days and settle_days, so that a label to "
            "learn from was complete by the day that the model is judged on",
            remedy="raise history_days, or shorten the label's window",
        )


RULES: tuple[Callable[[Settings], Iterator[BrokenRule]], ...] = (
    _has_a_layer,
    _stands_on_ground,
    _one_form_of_ground,
    _kafka_is_of_another_stack,
    _roles_have_their_own_groups,
    _simulation_has_a_date,
    _production_is_not_simulated,
    _production_days_move,
    _a_fixed_day_is_the_day,
    _no_clock_change_skips_the_day,
    _no_day_before_the_simulated_world,
    _history_is_deep_enough,
    *AWS_RULES,
    *DATABRICKS_RULES,
    *STREAM_RULES,
)


def broken_rules(settings: Settings) -> list[BrokenRule]:
    """Applies every rule to the settings, and lists those that are broken."""
    return [broken for rule in RULES for broken in rule(settings)]
