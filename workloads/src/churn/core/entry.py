"""What every entry point shares: its command line and its Spark session."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from pyspark.sql import SparkSession


@dataclass(frozen=True)
class Run:
    """One run of one entry point.

    Attributes:
        catalog: Unity Catalog name that holds bronze, silver, gold and mlops.
        date: Logical date. The run sees what is dated up to its end and was delivered, whatever the clock says.
        run_id: The job run, under which the run's traces are recorded.
        options: The entry point's own parameters.
    """

    catalog: str
    date: date
    run_id: str
    options: argparse.Namespace

    def table(self, name: str) -> str:
        """Full name of a table given as `schema.table`."""
        return f"{self.catalog}.{name}"

    def volume(self, name: str) -> str:
        """Path of a volume of bronze: `raw`, `admitted` or `quarantine`."""
        return f"/Volumes/{self.catalog}/bronze/{name}"


def logical_date(text: str) -> date:
    """The day that a text names, such as `2026-02-02`; `2026-02-02-1d` is the day before.

    A schedule knows only the day on which it starts, and in the morning that day has not happened yet.

    Raises:
        argparse.ArgumentTypeError: It names no day.
    """
    form = "write YYYY-MM-DD, or YYYY-MM-DD-1d for the day before"
    found = re.fullmatch(r"(\d{4}-\d{2}-\d{2})(?:-(\d+)d)?", text, re.ASCII)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no day: {form}")
    try:
        return date.fromisoformat(found[1]) - timedelta(days=int(found[2] or 0))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no day: {error}; {form}") from error


def parser(description: str | None) -> argparse.ArgumentParser:
    """A command line with the parameters that all entry points have; add your own to it."""
    arguments = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--catalog", required=True, help="Unity Catalog name, such as churn_dev")
    arguments.add_argument(
        "--date", required=True, type=logical_date, help="logical date, YYYY-MM-DD; 2026-02-02-1d is 2026-02-01"
    )
    arguments.add_argument("--run_id", required=True, help="id of the job run")
    return arguments


def parse(arguments: argparse.ArgumentParser, argv: Sequence[str] | None = None) -> Run:
    """Reads the command line (`sys.argv` unless given) into a run."""
    options = arguments.parse_args(argv)
    return Run(options.catalog, options.date, options.run_id, options)


def spark_session() -> SparkSession:
    """The session of the task: on Databricks the cluster's, elsewhere the one that SPARK_REMOTE names."""
    return SparkSession.builder.getOrCreate()
