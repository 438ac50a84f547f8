"""Entry point `tables`: makes the marts, still empty, so that reading them can be granted before the first day."""

from __future__ import annotations

from collections.abc import Sequence

from churn import tasks
from churn.core.entry import parse, spark_session
from churn.core.tables import MARTS


def main(argv: Sequence[str] | None = None) -> None:
    """Makes the marts that are missing, and prints their names."""
    run, _ = parse(tasks.TABLES, argv)
    spark = spark_session()
    for table in MARTS:
        print(table.create(spark, run.catalog))


if __name__ == "__main__":
    main()
