"""The parts of a rule: a Databricks resource as it will be deployed, its violations, and the policy made of a check."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pulumi_policy import ReportViolation, ResourceValidationArgs, ResourceValidationPolicy
from pulumi_policy.proxy import UnknownValueError

DATABRICKS = "databricks:index/"
PROVIDER = "pulumi:providers:databricks"
PRODUCTION = re.compile(r"prod(?:[_-].*)?")


class Unknown:
    """A value that a preview cannot know; `pulumi up` judges the resource once the value is known."""


UNKNOWN: Final = Unknown()


@dataclass(frozen=True)
class Resource:
    """One Databricks resource, or one Databricks provider.

    Attributes:
        kind: Type without its module, such as `Job`; PROVIDER for a provider.
        name: Logical name in the program.
        stack: Name of the stack.
        inputs: Inputs in camelCase, as plain dictionaries and lists; UNKNOWN for a value that a preview cannot know.
        protected: Whether the engine refuses to destroy the resource.
        provider: Logical name of the resource's provider.
    """

    kind: str
    name: str
    stack: str
    inputs: Mapping[str, Any]
    protected: bool
    provider: str

    @property
    def in_production(self) -> bool:
        """Whether the stack is `prod`, or one of several productions such as `prod_eu` or `prod-eu`."""
        return bool(PRODUCTION.fullmatch(self.stack))


@dataclass(frozen=True)
class Violation:
    """A property of a resource that breaks a rule.

    Attributes:
        path: The property, such as `tasks[0].newCluster.policyId`.
        value: Its value; None if it is not set.
        remedy: What to write instead.
    """

    path: str
    value: object
    remedy: str

    def about(self, resource: Resource) -> str:
        """The message of the violation: the resource, the property with its value, and the remedy."""
        state = "is not set" if self.value is None else f"is {_as_written(self.value)!r}"
        return f"{resource.kind} `{resource.name}`: {self.path} {state}. Remedy: {self.remedy}."


def _as_written(value: object) -> object:
    """The value as a person would write it: whole numbers as integers, names sorted, no marks of defaults."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {name: _as_written(value[name]) for name in sorted(value) if name != "__defaults"}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_as_written(item) for item in value]
    return value


Check = Callable[[Resource], Iterator[Violation]]


def rule(name: str, description: str, check: Check, kinds: Sequence[str] = ()) -> ResourceValidationPolicy:
    """Makes a policy over Databricks resources and providers.

    Args:
        name: Id within the pack.
        description: The requirement, in a sentence.
        check: Yields the violations of one resource.
        kinds: Types that are checked, such as `Job`; all if empty.

    Returns:
        The policy; it reports each violation with the resource's URN.
    """

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        if args.resource_type != PROVIDER and not args.resource_type.startswith(DATABRICKS):
            return
        kind = PROVIDER if args.resource_type == PROVIDER else args.resource_type.rpartition(":")[2]
        if kinds and kind not in kinds:
            return
        stack = args.urn.removeprefix("urn:pulumi:").partition("::")[0]
        provider = args.provider.name if args.provider else ""
        resource = Resource(kind, args.name, stack, plain(args.props), bool(args.opts.protect), provider)
        for violation in check(resource):
            report(violation.about(resource), args.urn)

    return ResourceValidationPolicy(name=name, description=description, validate=validate)


def plain(value: Any) -> Any:
    """Copies the engine's property values, with UNKNOWN for those that raise an exception when they are read."""
    if isinstance(value, Mapping):
        return {key: _item(value, key) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_item(value, index) for index in range(len(value))]
    return value


def _item(container: Any, key: Any) -> Any:
    try:
        return plain(container[key])
    except UnknownValueError:
        return UNKNOWN


def mapping(value: Any) -> Mapping[str, Any]:
    """The value if it is an object, else an empty object, since a missing or unknown one has nothing to check."""
    return value if isinstance(value, Mapping) else {}


def items(inputs: Mapping[str, Any], name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The known objects in a list property, each with its path."""
    value = inputs.get(name)
    if isinstance(value, list):
        for index, element in enumerate(value):
            if isinstance(element, Mapping):
                yield f"{name}[{index}]", element


def tasks(inputs: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The known tasks of a job, each with its path, and the tasks that a for-each task repeats."""
    for path, task in items(inputs, "tasks"):
        yield path, task
        if repeated := mapping(mapping(task.get("forEachTask")).get("task")):
            yield f"{path}.forEachTask.task", repeated
