"""Command line and Spark session of every entry point."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, NoReturn

from churn.core.errors import OptionError
from churn.core.task import JOB_PARAMETERS

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from churn.core.task import Options, Task


@dataclass(frozen=True)
class Run:
    """One run of one entry point.

    Attributes:
        catalog: Unity Catalog name that holds bronze, silver, gold and mlops.
        date: Logical date. The run sees what is dated up to its end and was delivered, whatever the clock says.
        run_id: The job run, under which the run's traces are recorded.
    """

    catalog: str
    date: date
    run_id: str

    def table(self, name: str) -> str:
        """Full name of a table given as `schema.table`."""
        return f"{self.catalog}.{name}"

    def volume(self, name: str) -> str:
        """Path of a volume of bronze: `admitted` or `quarantine`."""
        return f"/Volumes/{self.catalog}/bronze/{name}"

    @property
    def landing(self) -> str:
        """Path of the schema `landing`, which has a volume for the deliveries of each domain."""
        return f"/Volumes/{self.catalog}/landing"


class _Parser(argparse.ArgumentParser):
    """Parser that raises what argparse would print before it exits, so that the job's run shows it."""

    def error(self, message: str) -> NoReturn:
        """Raises the message."""
        raise OptionError(f"{message}; {' '.join(self.format_usage().split())}")


def parse(task: Task[Options], argv: Sequence[str] | None = None) -> tuple[Run, Options]:
    """Reads a task's command line.

    Args:
        task: Out of `churn.tasks`.
        argv: The arguments, each `--name=value`; those of the process unless given.

    Returns:
        The run, and the task's own options.

    Raises:
        OptionError: An option is missing, unknown, or has a value that it does not take.
    """
    parser = _Parser(prog=task.name, description=task.description, allow_abbrev=False)
    parser.add_argument("--catalog", required=True, help="Unity Catalog name, such as churn_dev")
    for name, taken in JOB_PARAMETERS.items():
        parser.add_argument(f"--{name}", required=True, type=taken["read"], help=taken["help"])
    parser.add_argument("--run_id", required=True, help="id of the job run")
    task.add_options(parser)
    values = parser.parse_args(argv)
    return Run(values.catalog, values.date, values.run_id), task.read_options(vars(values))


def spark_session() -> SparkSession:
    """The session of the task: on Databricks the cluster's, elsewhere the one that SPARK_REMOTE names."""
    from pyspark.sql import SparkSession

    return SparkSession.builder.getOrCreate()
