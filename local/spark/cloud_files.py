"""Auto Loader's streaming source `cloudFiles`, for open Spark, as a Python data source.

Every file of a folder is read once. The offset is the list of the files seen so far, kept in the stream's checkpoint.
So a file that appears later is read whatever its name, and a file that changes under the same path is not read again,
as with Auto Loader's defaults. The offset grows with the number of files, some 100 bytes each.

The server's Python processes import this module, dozens of processes in one update. The module must not import the
Connect client, which costs each process a quarter of a second.

The source adds two columns to those of the schema: the rescued data column, if there is one, and `_metadata`.
Databricks hides `_metadata`, but in open Spark `*` includes it: sources should name their columns.
"""

from __future__ import annotations

import glob
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from pyspark.sql.datasource import DataSource, DataSourceStreamReader, InputPartition

from local.errors import UnsupportedSourceError
from local.settings import LocalSettings
from local.spark.cloud_formats import METADATA, FileInfo, Format, column_names, read

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping, Sequence

    import pyarrow as pa
    from pyspark.sql.streaming.datasource import ReadLimit
    from pyspark.sql.types import StructType

USER_SCHEMA = "cloudFiles.userSchema"  # carries `.schema(...)` from the client; no option for sources
METADATA_DDL = (
    f"{METADATA} STRUCT<file_path: STRING, file_name: STRING, file_size: BIGINT, file_modification_time: TIMESTAMP>"
)
DEFAULT_RESCUED_COLUMN = "_rescued_data"
PARTITIONS = 4
# option: the values that this source supports; None means any
OPTIONS: dict[str, tuple[str, ...] | None] = {
    "path": None,
    "header": ("true", "false"),
    "sep": None,
    "delimiter": None,
    "quote": None,
    "escape": ('"',),  # a quote is doubled, as in the csv module; a backslash, Databricks' default, is not supported
    "encoding": None,
    "multiLine": ("true", "false"),
    "rescuedDataColumn": None,
    "pathGlobFilter": None,
    "ignoreCorruptFiles": ("true", "false"),
    "cloudFiles.format": ("csv", "json", "parquet"),
    "cloudFiles.schemaEvolutionMode": ("rescue", "none"),
    "cloudFiles.schemaHints": None,
    "cloudFiles.schemaLocation": None,  # ignored: the schema is inferred at each start
    "cloudFiles.inferColumnTypes": ("false",),
    "cloudFiles.includeExistingFiles": ("true",),
    "cloudFiles.allowOverwrites": ("false",),
    USER_SCHEMA: None,
}


@dataclass(frozen=True)
class Settings:
    """The checked options of one stream.

    Attributes:
        path: Folder, file or glob, as given; `/Volumes/…` is looked up in the local volumes.
        file_format: How files are parsed.
        rescued_column: Name of the column for data that does not fit, or None for none.
        glob_filter: Pattern that file names must match.
        user_schema: Schema given by the reader, as DDL, or None to infer the names from the files.
        hints: Types for inferred columns, by name.
    """

    path: str
    file_format: Format
    rescued_column: str | None
    glob_filter: str
    user_schema: str | None
    hints: dict[str, str]

    @classmethod
    def of(cls, options: MutableMapping[str, str]) -> Settings:
        """Checks the options.

        Raises:
            UnsupportedSourceError: An option or its value is not supported locally, or a needed one is missing.
        """
        known = {name.lower(): (name, allowed) for name, allowed in OPTIONS.items()}
        for key, value in options.items():
            if key.lower() not in known:
                raise UnsupportedSourceError(f"cloudFiles: option {key!r} is not supported by the local Auto Loader")
            name, allowed = known[key.lower()]
            if allowed is not None and value.lower() not in allowed:
                raise UnsupportedSourceError(
                    f"cloudFiles: {name} is {value!r}; the local Auto Loader supports {', '.join(allowed)}"
                )
        values = {key.lower(): value for key, value in options.items()}
        for needed in ("path", "cloudFiles.format"):
            if needed.lower() not in values:
                raise UnsupportedSourceError(f"cloudFiles: {needed} is missing")
        user_schema = values.get(USER_SCHEMA.lower())
        mode = values.get("cloudfiles.schemaevolutionmode", "none" if user_schema else "")
        if not mode:
            raise UnsupportedSourceError(
                "cloudFiles: cloudFiles.schemaEvolutionMode is missing: without a schema the default is addNewColumns, "
                "which the local Auto Loader does not support; set it to rescue or none"
            )
        default_rescued = DEFAULT_RESCUED_COLUMN if mode == "rescue" else None
        return cls(
            path=values["path"],
            file_format=Format(
                kind=values["cloudfiles.format"].lower(),
                header=values.get("header") == "true",
                separator=values.get("sep", values.get("delimiter", ",")),
                quote=values.get("quote", '"'),
                encoding=values.get("encoding", "utf-8-sig"),
                multi_line=values.get("multiline") == "true",
                ignore_corrupt=values.get("ignorecorruptfiles") == "true",
            ),
            rescued_column=values.get("rescueddatacolumn", default_rescued),
            glob_filter=values.get("pathglobfilter", "*"),
            user_schema=user_schema,
            hints=dict(pair.split(maxsplit=1) for pair in split_ddl(values.get("cloudfiles.schemahints", ""))),
        )


class CloudFiles(DataSource):
    """The data source; `spark.readStream.format("cloudFiles")`."""

    def __init__(self, options: MutableMapping[str, str]) -> None:
        super().__init__(options)
        self._settings = Settings.of(options)

    @classmethod
    def name(cls) -> str:
        """The source's name in `format(...)`."""
        return "cloudFiles"

    def schema(self) -> str:
        """DDL of the user's or the inferred columns, the rescued data column and `_metadata`."""
        settings = self._settings
        columns = settings.user_schema or self._inferred()
        rescued = [f"`{settings.rescued_column}` STRING"] if settings.rescued_column else []
        return ", ".join([columns, *rescued, METADATA_DDL])

    def streamReader(self, schema: StructType) -> DataSourceStreamReader:  # noqa: N802 (Spark's name)
        """The reader of one stream."""
        return CloudFilesReader(self._settings, schema)

    def _inferred(self) -> str:
        """DDL of all columns that the present files have: text unless Parquet or a hint says otherwise."""
        types: dict[str, str] = {}
        for path in list_files(self._settings):
            for name, column_type in column_names(local_path(path), self._settings.file_format).items():
                types.setdefault(name, column_type)
        if not types:
            raise UnsupportedSourceError(
                f"cloudFiles: no file to infer a schema from under {self._settings.path}; give a schema"
            )
        return ", ".join(f"`{name}` {column_type}" for name, column_type in {**types, **self._settings.hints}.items())


@dataclass
class Files(InputPartition):
    """Files that one task reads."""

    paths: list[str]


class CloudFilesReader(DataSourceStreamReader):
    """The reader of one stream: lists new files and reads each once."""

    def __init__(self, settings: Settings, schema: StructType) -> None:
        self._settings = settings
        self._schema = schema

    def initialOffset(self) -> dict[str, bool]:  # noqa: N802 (Spark's name)
        """The offset of a stream that has read nothing."""
        return {}

    def latestOffset(self, start: dict[str, bool], limit: ReadLimit) -> dict[str, bool]:  # noqa: ARG002, N802 (Spark's)
        """The files seen so far and those that exist now; `limit` is Spark's and not supported."""
        seen = set(start) | set(list_files(self._settings))  # a file that was seen stays, even if it was removed since
        return dict.fromkeys(sorted(seen), True)

    def partitions(self, start: dict[str, bool], end: dict[str, bool]) -> Sequence[InputPartition]:
        """Shares the new files among the tasks of a batch."""
        new = [path for path in end if path not in start]
        count = min(PARTITIONS, len(new))
        return [Files(new[number::count]) for number in range(count)]

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        """Reads the files of one task."""
        settings = self._settings
        for path in cast("Files", partition).paths:
            file = local_path(path)
            facts = file.stat()
            modified = datetime.fromtimestamp(facts.st_mtime, UTC)
            # Databricks shows volumes with this scheme
            shown = f"dbfs:{path}" if path.startswith("/Volumes/") else f"file:{path}"
            info = FileInfo(file, shown, facts.st_size, modified)
            yield from read(info, settings.file_format, self._schema, settings.rescued_column)


def list_files(settings: Settings) -> list[str]:
    """Paths of all files below the stream's path, as the stream names them, without hidden ones (`_x`, `.x`)."""
    pattern = local_path(settings.path)
    listed: set[Path] = set()
    for match in map(Path, glob.glob(str(pattern))):  # noqa: PTH207 (the pattern is absolute)
        files = [match] if match.is_file() else [path for path in match.rglob(settings.glob_filter) if path.is_file()]
        listed.update(path for path in files if not _hidden(path.relative_to(match.parent)))
    volumes = LocalSettings.load().volumes
    return sorted(
        f"/Volumes/{path.relative_to(volumes).as_posix()}" if path.is_relative_to(volumes) else path.as_posix()
        for path in listed
    )


def local_path(path: str) -> Path:
    """The path on this machine of a path of the workspace."""
    bare = path.removeprefix("dbfs:").removeprefix("file:")
    if bare.startswith("/Volumes/"):
        return LocalSettings.load().volumes / bare.removeprefix("/Volumes/")
    return Path(bare)


def split_ddl(text: str) -> list[str]:
    """Splits column definitions at the commas outside brackets."""
    parts, depth = [""], 0
    for character in text:
        depth += (character in "<(") - (character in ">)")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts if part.strip()]


def _hidden(path: Path) -> bool:
    return any(part.startswith(("_", ".")) for part in path.parts)
