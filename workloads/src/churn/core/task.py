"""Task of the job: its name, its entry point and the options of its command line.

An option is a field of a frozen dataclass, made by `field(metadata=option(...))`. A field whose type is such a
dataclass itself, such as `churn.core.label_window.LabelWindow`, stands for all options of that dataclass.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, dataclass, fields, is_dataclass
from typing import Any, Generic, TypeVar, get_type_hints

from churn.core.logical_date import logical_date

Options = TypeVar("Options")


@dataclass(frozen=True)
class NoOptions:
    """Options of a task that has none of its own."""


@dataclass(frozen=True)
class Task(Generic[Options]):
    """One entry point of the wheel.

    Attributes:
        name: Name of the entry point in the wheel, and key of the task in the job.
        entry_point: Its function as `module:function`.
        description: What it does and when it fails, in a sentence or two; the job shows it.
        options: Frozen dataclass of the options beyond `catalog`, `run_id` and the parameters of the job.
    """

    name: str
    entry_point: str
    description: str
    options: type[Options]

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of its own options on the command line, in order."""
        return tuple(item.name for item in _items(self.options))

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Adds its own options to a command line; each is required."""
        for item in _items(self.options):
            parser.add_argument(f"--{item.name}", required=True, type=item.metadata["read"], help=item.metadata["help"])

    def read_options(self, values: Mapping[str, Any]) -> Options:
        """Makes the options from parsed values by name; other names are ignored."""
        options: Options = _instance(self.options, values)
        return options


def option(text: str, read: Callable[[str], Any] = str) -> dict[str, Any]:
    """Metadata of a field that is an option.

    Args:
        text: Its help text.
        read: Turns its text into its value; raises `argparse.ArgumentTypeError` or `ValueError` when it cannot.
    """
    return {"help": text, "read": read}


# Parameters of the jobs, by name. Databricks hands all of them to every wheel task, so each entry point takes them all.
JOB_PARAMETERS = {"date": option("logical date, in a form that churn.core.logical_date reads", logical_date)}


def days(text: str) -> int:
    """A number of days, 0 or more.

    Raises:
        argparse.ArgumentTypeError: It is less than 0.
    """
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{number} is less than 0")
    return number


def _items(options: type) -> Iterator[Field[Any]]:
    """The options of a dataclass, with those of the dataclasses in it."""
    hints = get_type_hints(options)
    for item in fields(options):
        kind = hints[item.name]
        if is_dataclass(kind):
            yield from _items(kind)  # type: ignore[arg-type]  # it is a class, which is_dataclass does not say
        else:
            yield item


def _instance(options: Any, values: Mapping[str, Any]) -> Any:
    """Instance of a dataclass of options, and of the dataclasses in it, from values by name."""
    hints = get_type_hints(options)
    return options(
        **{
            name: _instance(hints[name], values) if is_dataclass(hints[name]) else values[name]
            for name in (item.name for item in fields(options))
        }
    )
