"""Repaired rows: checked by the rules of silver, then delivered again through the front door: `python -m` this module.

Each is a file of its own, named after the quarantined row that it repairs, in the folder of the day that the row was
delivered to. So `bronze.deliveries` says which rows are released, and a name that it has is not released again.

From its standard input the module reads a JSON object with `domain`, `lines` (of JSON: `row_id`, and the delivered row
as `row`, repaired), `quarantined` (the row as it was and its file, by row id) and `released` (row ids). It checks all
lines before it prints a file: a JSON object of `files`, each with its path below the schema `landing` and its content
in base 64, and of `released`, the number of lines whose rows were released before.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from churn.core.contract import Contract, contract_of, quoted
from churn.core.entry import spark_session
from churn.core.errors import FinalError
from churn.ingestion.folders import REPAIRED
from churn.transforms.conform import broken_conditions, conform
from churn.transforms.delivered import CORRUPT, RESCUED, ROW_ID
from churn.transforms.latest import FILE

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SHOWN_FAULTS = 10
EASIEST = ("csv", "json", "parquet")  # of the formats that a contract takes
READ: dict[str, Callable[[Any], Any]] = {
    "STRING": str,
    "INT": int,
    "DOUBLE": float,
    "DATE": date.fromisoformat,
    "TIMESTAMP": datetime.fromisoformat,
    "BOOLEAN": {"true": True, "false": False, True: True, False: False}.__getitem__,
}
ARROW = {
    "STRING": pa.string(),
    "INT": pa.int32(),
    "DOUBLE": pa.float64(),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us", tz="UTC"),
    "BOOLEAN": pa.bool_(),
}


class RepairError(FinalError):
    """Repaired rows cannot be released; the text has their lines, what is wrong, and the remedy."""


@dataclass(frozen=True)
class Repaired:
    """A repaired row.

    Attributes:
        line: Its number in the file, from 1.
        row_id: Of the quarantined row.
        file: Where that came from, as the quarantine has it.
        values: Values by the contract's source columns; None where there is none.
    """

    line: int
    row_id: str
    file: str
    values: Mapping[str, Any]

    def path(self, contract: Contract) -> str:
        """Path below `landing` at which it is delivered: in the folder of the day of the row that it repairs."""
        day = self.file.partition("/bronze/admitted/")[2].split("/")[1]
        return f"{contract.domain}/{day}/{REPAIRED}{self.row_id}.{kind_of(contract)}"


def kind_of(contract: Contract) -> str:
    """Format in which repaired rows are delivered, of those that the contract takes."""
    return next(kind for kind in EASIEST if kind in contract.formats)


def read_lines(
    contract: Contract, lines: Sequence[str], quarantined: Mapping[str, Mapping[str, str]], released: Sequence[str]
) -> tuple[list[Repaired], int]:
    """Reads repaired rows.

    Args:
        contract: Of their table.
        lines: Of JSON; blank ones are passed over.
        quarantined: `file` and `raw`, the row as it was, by row id.
        released: Ids of rows that were released before, or wait to be taken in; their lines are passed over.

    Returns:
        The rows, and the number of lines of rows that were released before.

    Raises:
        RepairError: With the first faults of lines.
    """
    faults: list[str] = []
    rows: dict[str, Repaired] = {}
    before = 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row_id, given = _fields(line)
            if row_id in released:
                before += 1
            else:
                if row_id in rows:
                    faults.append(f"line {number}: its row is that of line {rows[row_id].line} too; remove one of them")
                file = _file_of(row_id, given, quarantined, contract)
                rows[row_id] = Repaired(number, row_id, file, _values(given, contract))
        except (ValueError, TypeError) as error:
            faults.append(f"line {number}: {error}")
    _refuse(faults)
    return list(rows.values()), before


def check_rules(spark: SparkSession, contract: Contract, rows: Sequence[Repaired]) -> None:
    """Checks repaired rows as silver will.

    Raises:
        RepairError: Rows still break a rule; the text has the lines and the rules.
    """
    types = ((column.bronze, column.type if contract.typed else "STRING") for column in contract.columns)
    own = (RESCUED, CORRUPT, FILE, ROW_ID)
    schema = ", ".join(f"{quoted(name)} {kind}" for name, kind in (*types, *((name, "STRING") for name in own)))
    delivered = [
        (*(row.values[column.source] for column in contract.columns), None, None, row.file, row.row_id) for row in rows
    ]
    conditions = {**contract.rules, **contract.stops}
    judged = conform(spark.createDataFrame(delivered, schema), contract)
    broken = judged.select(ROW_ID, broken_conditions(conditions).alias("rules"), "_malformed").where("size(rules) > 0")
    found = {row[ROW_ID]: row for row in broken.collect()}
    _refuse(
        f"line {row.line}: the row still breaks {', '.join(found[row.row_id].rules)}"
        f"{_misfits(found[row.row_id]['_malformed'])}; repair it, or remove the line"
        for row in rows
        if row.row_id in found
    )


def content(contract: Contract, row: Repaired) -> bytes:
    """The file of a repaired row."""
    kind = kind_of(contract)
    if kind == "csv":
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows([contract.sources, ["" if value is None else value for value in row.values.values()]])
        return text.getvalue().encode()
    if kind == "json":
        return json.dumps(row.values).encode() + b"\n"
    schema = pa.schema([(column.source, ARROW[column.type]) for column in contract.columns])
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([dict(row.values)], schema), buffer)
    return buffer.getvalue()


def files_of(given: Mapping[str, Any], session: Callable[[], SparkSession]) -> dict[str, Any]:
    """Checks repaired rows, and makes their files.

    Args:
        given: What the module reads.
        session: Gives the session that checks them; not called where no row is left to check.

    Returns:
        What the module prints.

    Raises:
        RepairError: A line is wrong, or its row still breaks a rule.
    """
    contract = contract_of(given["domain"])
    rows, before = read_lines(contract, given["lines"], given["quarantined"], given["released"])
    if rows:
        check_rules(session(), contract, rows)
    files = [{"path": row.path(contract), "content": base64.b64encode(content(contract, row)).decode()} for row in rows]
    return {"files": files, "released": before}


def main() -> None:
    """Checks the rows of the standard input, and prints their files."""
    print(json.dumps(files_of(json.load(sys.stdin), spark_session)))


def _fields(line: str) -> tuple[str, dict[str, Any]]:
    """Row id and row of a line.

    Raises:
        TypeError: It is no JSON object, or lacks a field; the row of somebody for whom it is masked is null.
        ValueError: It is no JSON.
    """
    fields = json.loads(line)
    if not isinstance(fields, dict) or not isinstance(fields.get("row_id"), str):
        raise TypeError(
            "it is no JSON object with a row_id; write the line as it was shown, with a repaired row (one from before "
            "rows had ids comes back with its file, by `platform readmit`)"
        )
    if not isinstance(fields.get("row"), dict):
        raise TypeError("it has no row: for whoever may not read personal data it is masked; ask one who may")
    return fields["row_id"], fields["row"]


def _file_of(
    row_id: str, given: Mapping[str, Any], quarantined: Mapping[str, Mapping[str, str]], contract: Contract
) -> str:
    """The file of the row that a repaired one replaces.

    Raises:
        ValueError: There is none, or it is the same.
    """
    was = quarantined.get(row_id)
    if was is None:
        raise ValueError(f"row {row_id} is not in silver.quarantine_{contract.domain}; remove the line")
    if given == json.loads(was["raw"]):
        raise ValueError("the row is as it was; repair it, or remove the line")
    return was["file"]


def _values(given: Mapping[str, Any], contract: Contract) -> dict[str, Any]:
    """Values of a row by the contract's source columns.

    Raises:
        ValueError: A column is unknown, or a value has another type.
    """
    unknown = sorted(set(given) - {*contract.sources, RESCUED, CORRUPT})
    if unknown:
        raise ValueError(f"the contract knows no column {', '.join(unknown)}; there are {', '.join(contract.sources)}")
    values: dict[str, Any] = {}
    for column in contract.columns:
        value = given.get(column.source)
        if kind_of(contract) != "parquet":
            values[column.source] = value if isinstance(value, str | None) else json.dumps(value)
            continue
        try:
            values[column.source] = None if value is None else READ[column.type](value)
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f"{column.source} is {value!r}, where {column.type} is due") from error
    return values


def _misfits(columns: str | None) -> str:
    return f" (of another type: {columns})" if columns else ""


def _refuse(faults: Iterable[str]) -> None:
    """Raises faults, if there are any.

    Raises:
        RepairError: With the first of them, and the number of the others.
    """
    found = list(faults)
    if found:
        more = [f"and {len(found) - SHOWN_FAULTS} more lines"] if len(found) > SHOWN_FAULTS else []
        raise RepairError("; ".join(found[:SHOWN_FAULTS] + more))


if __name__ == "__main__":
    main()
