"""Copies of scores and measurements from the online store to the lake, each row once, whatever is killed between.

A row is marked as copied after the lake has it. One that was copied and not marked is copied again, and the lake's
table takes no key twice.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from psycopg.sql import SQL, Identifier

from churn.core.clock import moment
from churn.core.tables import LIVE_SCORES, STREAM_FRESHNESS
from churn.feature_engineering.rolling_activity import KEPT_DAYS

if TYPE_CHECKING:
    import psycopg
    from pyspark.sql import SparkSession

    from churn.core.table import Table

COPIED = {"scores": LIVE_SCORES, "freshness": STREAM_FRESHNESS}
MOMENTS = {"scores": "scored_at", "freshness": "written_at"}
# How long a copied row stays in the online store; the lake keeps all. Scores stay as long as the sessions that they are
# of, so that none is scored again.
KEPT = {"scores": timedelta(days=KEPT_DAYS), "freshness": timedelta(days=7)}
AGAIN = timedelta(days=1)  # longer than a session: a score with the keys of another is not further from it
MOST_ROWS = 10_000


def create(spark: SparkSession, catalog: str) -> None:
    """Makes the tables of the lake that are missing, so that they can be read before anything was measured."""
    for table in COPIED.values():
        table.create(spark, catalog)


def copy(connection: psycopg.Connection[Any], spark: SparkSession, catalog: str) -> int:
    """Copies what is not copied yet; returns how many rows."""
    copied = sum(_copy(connection, spark, catalog, name, table) for name, table in COPIED.items())
    for name, column in MOMENTS.items():
        query = SQL("DELETE FROM churn.{} WHERE copied AND {} < %s").format(Identifier(name), Identifier(column))
        connection.execute(query, (moment() - KEPT[name],))
    return copied


def _copy(connection: psycopg.Connection[Any], spark: SparkSession, catalog: str, name: str, table: Table) -> int:
    columns = SQL(", ").join(map(Identifier, table.column_names))
    keys = SQL(", ").join(map(Identifier, table.keys))
    query = SQL("SELECT {} FROM churn.{} WHERE NOT copied ORDER BY {} LIMIT {}").format(
        columns, Identifier(name), keys, MOST_ROWS
    )
    rows = connection.execute(query).fetchall()
    if rows:
        at = table.column_names.index(MOMENTS[name])
        since = min(row[at] for row in rows) - AGAIN
        table.insert_missing(spark.createDataFrame(rows, table.schema), catalog, moment=MOMENTS[name], since=since)
        places = [table.column_names.index(key) for key in table.keys]
        same = SQL(" AND ").join(SQL("{} = %s").format(Identifier(key)) for key in table.keys)
        with connection.transaction(), connection.cursor() as cursor:
            cursor.executemany(
                SQL("UPDATE churn.{} SET copied = true WHERE {}").format(Identifier(name), same),
                [[row[place] for place in places] for row in rows],
            )
    return len(rows)
