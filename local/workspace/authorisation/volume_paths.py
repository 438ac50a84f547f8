"""Paths of files in a statement: those of volumes, which READ VOLUME opens."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from local.workspace.authorisation.dialect import refused
from local.workspace.authorisation.reader import insufficient
from local.workspace.unity_catalog.documents import VOLUMES

if TYPE_CHECKING:
    from local.workspace.authorisation.reader import Reader

_PATH = re.compile(r"(?:dbfs:)?/Volumes/([\w-]+)/([\w-]+)/([\w-]+)(/[^\x00-\x1f]*)?")


def check_path(reader: Reader, path: str) -> None:
    """Refuses a path that is in no volume, or in one that the reader may not read.

    Raises:
        ApiError: A 403 that names what is missing.
    """
    match = _PATH.fullmatch(path)
    if match is None or ".." in path:
        raise insufficient("User does not have SELECT on any file")
    full_name = ".".join(match.groups()[:3]).lower()
    if reader.workspace.store.get(VOLUMES, full_name) is None:
        raise refused(f"Volume '{full_name}' does not exist")
    reader.check("volume", full_name, "READ_VOLUME")
