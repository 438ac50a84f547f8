"""Parquet: read page by page, with types that keep every value of their contract.

Spark casts some types in silence, Auto Loader rescues others, and both differ by version. So a column has the type of
its contract, or one all of whose values that type holds, and then the file is written anew; else it is set aside.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from churn.core.blanks import stripped
from churn.ingestion.readable import Contents, Owners, UnreadableFileError, spelled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from churn.core.contract import Contract
    from churn.core.erased import Erased

BATCH_ROWS = 16_384
BATCH_BYTES = 16 * 2**20  # of the rows that are in memory together, by what the footer says of their size
BUFFER_BYTES = 2**20
SMALL_INTEGERS = (pa.int8(), pa.int16(), pa.int32())
INTEGERS = (*SMALL_INTEGERS, pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64())
STRINGS = (pa.string(), pa.large_string(), pa.string_view())
# Of a contract's type: the one that is written, those that Spark reads as it, and others whose values it may hold.
TYPES: dict[str, tuple[pa.DataType, tuple[pa.DataType, ...], tuple[pa.DataType, ...]]] = {
    "STRING": (pa.string(), STRINGS, ()),
    "INT": (pa.int32(), SMALL_INTEGERS, INTEGERS),
    "DOUBLE": (pa.float64(), (pa.float64(),), (pa.float32(), pa.float16(), *INTEGERS)),
    "DATE": (pa.date32(), (pa.date32(), pa.date64()), ()),
    "BOOLEAN": (pa.bool_(), (pa.bool_(),), ()),
    "TIMESTAMP": (pa.timestamp("us", "UTC"), (), ()),  # of any unit, if it has a zone
}


def read(file: Path, contract: Contract, erased: Erased | None = None) -> Contents:
    """Reads a file to its end, and finds the rows of erased customers.

    Raises:
        UnreadableFileError: It cannot be read, or a column has a type that would lose something.
    """
    try:
        with _opened(file) as opened:
            names = opened.schema_arrow.names
            others = _others(opened.schema_arrow, contract)
            rows, owners, theirs = 0, Owners(contract, erased), Counter[str]()
            for batch in _batches(opened):  # reads every page: the footer knows none of them
                batch.validate(full=True)
                for index, due in others.items():
                    _cast(batch.column(index), due, names[index])
                rows += batch.num_rows
                theirs.update(filter(None, _owners(batch, owners, contract) if owners else ()))
    except (pa.ArrowException, OSError, UnicodeError) as error:
        raise UnreadableFileError(f"damaged or no Parquet: {str(error).partition(chr(10))[0]}") from error
    types = ", ".join(f"{names[index]} is {opened.schema_arrow.types[index]}" for index in others)
    remarks = (f"columns of a type that was widened: {types}",) if others else ()
    rewrite = bool(others or theirs) or spelled(names, contract) != names
    return Contents(rows, names, remarks, rewrite, theirs)


def rewrite(file: Path, target: Path, contract: Contract, erased: Erased | None = None) -> None:
    """Writes a file that `read` could read with the contract's names and types.

    Rows of erased customers are left out.
    """
    owners = Owners(contract, erased)
    with _opened(file) as opened:
        schema, others = opened.schema_arrow, _others(opened.schema_arrow, contract)
        names = spelled(schema.names, contract)
        types = [others.get(index, kind) for index, kind in enumerate(schema.types)]
        due = pa.schema(list(zip(names, types, strict=True)))
        with pq.ParquetWriter(target, due) as writer:
            for whole in _batches(opened):
                kept = [owner is None for owner in _owners(whole, owners, contract)] if owners else None
                batch = whole.filter(pa.array(kept, pa.bool_())) if kept is not None else whole
                columns = [
                    _cast(column, others[index], names[index]) if index in others else column
                    for index, column in enumerate(batch.columns)
                ]
                writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=due))


def _owners(batch: pa.RecordBatch, owners: Owners, contract: Contract) -> list[str | None]:
    """Of each row the erased customer whose it is; None if it is nobody's of them."""
    names = spelled(batch.schema.names, contract)
    columns = [column.to_pylist() for name, column in zip(names, batch.columns, strict=True) if name == owners.source]
    customers = columns[0] if columns else [None] * batch.num_rows
    return [
        owners.of(str(customer), "") if customer and stripped(str(customer)) else _mentioned(batch, number, owners)
        for number, customer in enumerate(customers)
    ]


def _mentioned(batch: pa.RecordBatch, number: int, owners: Owners) -> str | None:
    """The erased customer whom a row without an id names anywhere."""
    return owners.of(None, " ".join(str(value) for value in batch.slice(number, 1).to_pylist()[0].values()))


def _opened(file: Path) -> pq.ParquetFile:
    return pq.ParquetFile(file, page_checksum_verification=True, buffer_size=BUFFER_BYTES, pre_buffer=False)


def _batches(opened: pq.ParquetFile) -> Iterator[pa.RecordBatch]:
    groups = [opened.metadata.row_group(number) for number in range(opened.num_row_groups)]
    widest = max((group.total_byte_size // max(group.num_rows, 1) for group in groups), default=0)
    yield from opened.iter_batches(max(1, min(BATCH_ROWS, BATCH_BYTES // max(widest, 1))), use_threads=False)


def _others(schema: pa.Schema, contract: Contract) -> dict[int, pa.DataType]:
    """Due types of the columns that are to be written in another type, by their place in the file.

    Raises:
        UnreadableFileError: A column has a type that would lose something.
    """
    due_types = {column.source: column.type for column in contract.columns}
    others, lossy = {}, []
    for index, (name, kind) in enumerate(zip(spelled(schema.names, contract), schema.types, strict=True)):
        if name not in due_types:
            continue
        due, read_as, wider = TYPES[due_types[name]]
        plain = kind.value_type if pa.types.is_dictionary(kind) else kind
        moment = pa.types.is_timestamp(due) and pa.types.is_timestamp(plain) and plain.tz is not None
        if plain in read_as or (moment and plain.unit != "ns"):
            continue
        if plain in wider or pa.types.is_null(plain) or moment:
            others[index] = due
        else:
            lossy.append(f"{schema.names[index]} is {kind} where {due_types[name]} is due")
    if lossy:
        raise UnreadableFileError(f"columns of another type: {', '.join(lossy)}")
    return others


def _cast(values: pa.Array, due: pa.DataType, name: str) -> pa.Array:
    """Values as another type.

    Raises:
        UnreadableFileError: One would lose something.
    """
    try:
        return values.cast(due, safe=True)
    except pa.ArrowInvalid as error:
        # The error's own text has the value, which fewer people may read than this reason.
        lossy = f"{name} is {values.type}, and {due} would lose something of a value"
        raise UnreadableFileError(f"columns of another type: {lossy}") from error
