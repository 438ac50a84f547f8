"""Entry point `tables`: makes what jobs write, empty, so that it can be tagged and granted before the first day."""

from __future__ import annotations

from collections.abc import Sequence

from churn import tasks
from churn.core.entry import parse, spark_session
from churn.core.tables import TABLES
from churn.feature_engineering.groups import FEATURES


def main(argv: Sequence[str] | None = None) -> None:
    """Makes the tables and columns that are missing, and prints the tables' names."""
    run, _ = parse(tasks.TABLES, argv)
    spark = spark_session()
    for table in (*TABLES, FEATURES):
        print(table.complete(spark, run.catalog))


if __name__ == "__main__":
    main()
