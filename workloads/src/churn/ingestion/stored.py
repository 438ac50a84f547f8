"""Names under which delivered files are kept, and the identity by which a redelivery is known."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from pathlib import PurePosixPath

from churn.ingestion.folders import kept_folder

NAME_LETTERS = 255  # the longest name that file systems take
FINGERPRINT_LETTERS = 8


def identity(file: str, digest: str) -> str:
    """Identity of a file: its folder, which says of which day the file reports, and its content."""
    return f"{kept_folder(file)}/{digest}"


def stored_name(file: str, modified: int, identity: str, kind: str | None) -> str:
    """Name under which a file is kept.

    It begins with when the file was delivered (UTC), so that a later file has the higher name, and ends with a
    fingerprint of folder and content, so that no two share one. The suffix of an admitted file says its format, by
    which bronze's readers share the files. It needs no escaping, and no reader skips it.
    """
    seconds, milliseconds = divmod(modified, 1000)
    delivered = f"{datetime.fromtimestamp(seconds, UTC):%Y%m%dT%H%M%S}{milliseconds:03}"
    fingerprint = hashlib.sha256(identity.encode()).hexdigest()[:FINGERPRINT_LETTERS]
    path = PurePosixPath(kept_folder(file), PurePosixPath(file).name)
    parts = [re.sub(r"[^\w.-]", "_", part, flags=re.ASCII).lstrip("._") or "unnamed" for part in path.parts]
    name = parts[-1]
    if kind is not None:
        name = name.removesuffix(".gz")
        name = f"{name.removesuffix(PurePosixPath(name).suffix)}.{kind}"
    room = NAME_LETTERS - len(f"{delivered}--{fingerprint}")
    kept = PurePosixPath(*parts[:-1], name[-room:])  # cut at its front, since its end is the suffix
    return str(kept.with_stem(f"{delivered}-{kept.stem}-{fingerprint}"))
