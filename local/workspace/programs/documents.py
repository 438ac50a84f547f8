"""Documents of the store that the programs area keeps."""

from __future__ import annotations

from typing import TypedDict

from local.workspace.core.store import DocumentKind


class ProgramDocument(TypedDict):
    """A program that has not ended (kind `programs`, by its key, such as `task/<run id>`)."""

    pid: int
    started: float  # seconds since 1970, by which a later process of the same number is told apart


PROGRAMS = DocumentKind[ProgramDocument]("programs")
