"""Delta table, declared once; runs write it part by part, so that a repeated run changes nothing.

The declarations are in `churn.core.tables`, but for gold.churn_features (`churn.feature_engineering.groups`), whose
columns are the features.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date, datetime

    from pyspark.sql import DataFrame, SparkSession


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: Its name.
        type: Its Spark type, as DDL.
        comment: What it holds, with its unit.
        nullable: Whether it may be NULL; a column without which rows make no sense may not.
    """

    name: str
    type: str
    comment: str
    nullable: bool = False

    @property
    def ddl(self) -> str:
        """The column as a `CREATE TABLE` statement has it."""
        return f"{self.name} {self.type}{'' if self.nullable else ' NOT NULL'} COMMENT {_literal(self.comment)}"


@dataclass(frozen=True)
class Table:
    """A table that one task writes, part by part.

    Attributes:
        name: `schema.table`.
        comment: What a row is.
        columns: Its columns, in order.
        keys: Names of the columns that make a row unique, as the tests prove; none if rows may repeat.
        part: Names of the columns whose values name a part, such as a day; none if each run writes the whole table.
        writer: Name of the task that writes it.
    """

    name: str
    comment: str
    columns: tuple[Column, ...]
    keys: tuple[str, ...]
    part: tuple[str, ...]
    writer: str

    @property
    def column_names(self) -> list[str]:
        """Names of its columns, in order."""
        return [column.name for column in self.columns]

    @property
    def schema(self) -> str:
        """Names and types of its columns, for a DataFrame."""
        return ", ".join(f"{column.name} {column.type}" for column in self.columns)

    @property
    def ddl(self) -> str:
        """Its columns as a `CREATE TABLE` statement has them."""
        return ", ".join(column.ddl for column in self.columns)

    def create(self, spark: SparkSession, catalog: str) -> str:
        """Makes the table if it is missing, and returns its full name.

        A table that an earlier release made stays as it is: Delta adds no NOT NULL to columns that hold rows.
        """
        full_name = f"{catalog}.{self.name}"
        comment = _literal(f"{self.comment} Written by the task {self.writer}.")
        spark.sql(f"CREATE TABLE IF NOT EXISTS {full_name} ({self.ddl}) USING DELTA COMMENT {comment}").collect()
        return full_name

    def complete(self, spark: SparkSession, catalog: str) -> str:
        """Makes the table if it is missing, or the columns that it lacks, and returns its full name.

        New columns take NULL: rows that are there have nothing in them.
        """
        full_name = self.create(spark, catalog)
        there = {name.casefold() for name in spark.table(full_name).columns}
        missing = [column for column in self.columns if column.name.casefold() not in there]
        if missing:
            added = ", ".join(f"{column.name} {column.type} COMMENT {_literal(column.comment)}" for column in missing)
            spark.sql(f"ALTER TABLE {full_name} ADD COLUMNS ({added})").collect()
        return full_name

    def replace(self, rows: DataFrame, catalog: str, *values: date | str | int) -> None:
        """Replaces one part, in one transaction; other parts stay. Makes the table, or a column of it, if missing.

        Args:
            rows: The new rows, which all hold the part's values, else Delta refuses them. Columns that are not declared
                are left out; a column of the table that is no longer declared becomes NULL.
            catalog: Unity Catalog name.
            values: Those of the columns `part`.
        """
        full_name = self.create(rows.sparkSession, catalog)
        writer = rows.select(*self.column_names).write.mode("overwrite").option("mergeSchema", "true")
        if self.part:
            writer = writer.option("replaceWhere", self.condition(*values))
        writer.saveAsTable(full_name)

    def insert_missing(
        self, rows: DataFrame, catalog: str, *, moment: str | None = None, since: datetime | None = None
    ) -> None:
        """Adds the rows whose keys the table does not hold yet, so that a repeated call adds nothing.

        Args:
            rows: The rows, with all declared columns and no key twice.
            catalog: Unity Catalog name.
            moment: Name of a column with moments, for a table that grows.
            since: Such a table is looked at from this moment on. Older rows with these keys there must not be.
        """
        full_name, view = self.create(rows.sparkSession, catalog), f"missing_{self.name.replace('.', '_')}"
        rows.select(*self.column_names).createOrReplaceTempView(view)
        same = " AND ".join(f"there.{key} = new.{key}" for key in self.keys)
        if since is not None:
            same += f" AND there.{moment} >= TIMESTAMP '{since.isoformat()}'"
        merge = f"MERGE INTO {full_name} AS there USING {view} AS new ON {same} WHEN NOT MATCHED THEN INSERT *"
        try:
            rows.sparkSession.sql(merge).collect()
        finally:
            rows.sparkSession.catalog.dropTempView(view)  # SHOW TABLES would list it in every schema

    def condition(self, *values: date | str | int) -> str:
        """SQL condition that holds for the rows of one part, given the values of the columns `part`."""
        return " AND ".join(f"{column} = {_literal(value)}" for column, value in zip(self.part, values, strict=True))


def _literal(value: date | str | int) -> str:
    if isinstance(value, int):
        return str(value)
    return "'" + str(value).replace("\\", "\\\\").replace("'", "\\'") + "'"
