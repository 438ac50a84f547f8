"""Secrets in clear text in a contract, which git and the catalog would show to everybody."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from infra.written.contracts.texts import texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from churn.core.faults import Fault
    from churn.core.files import Document, Place

SECRET = "a secret"  # noqa: S105 (what a message shows in place of one)
# Tokens of Databricks, AWS, GitHub and GitLab, tokens in the form of JWT, private keys, passwords in URLs.
TOKEN = re.compile(
    r"\b(?:dapi|dose)[0-9a-f]{32}|\bA[KS]IA[0-9A-Z]{16}\b|\bgh[oprsu]_[0-9A-Za-z]{36}|\bgithub_pat_\w{22}"
    r"|\bglpat-[\w-]{20}|\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.|-----BEGIN [A-Z ]*PRIVATE KEY|://[^/\s:@]*:[^/\s@]+@"
)
# A setting within a text, as connection strings, JAAS and queries of URLs have them.
SETTING = re.compile(
    r"""(?i)(?<![a-z])(?:password|passwd|pwd|passphrase|secret|token|(?:account|access|api|private)_?key|sig)["']?\s?"""
    r"""[=:]\s?["']?[^\s"';&]{2,}"""
)
NAME = re.compile(r"(?i)password|passwd|passphrase|secret|token|(?:access|account|api|private)[._-]?key$")


def written_secrets(document: Document) -> Iterator[Fault]:
    """A fault for each text of a contract that holds a secret, which the fault does not show."""
    for place, text in texts(document.values):
        if TOKEN.search(text) or SETTING.search(text) or _named_as_secret(document, place):
            remedy = "keep it in a secret scope, name scope and key here, and change it: git remembers this one"
            yield document.fault(place, received=SECRET, allowed="text without secrets", remedy=remedy)


def _named_as_secret(document: Document, place: Place) -> bool:
    """Whether a text is the value of a custom property whose name says that it is a secret."""
    if place[-1] != "value" or "customProperties" not in place:
        return False
    entry: Any = document.values
    for part in place[:-1]:
        entry = entry[part]
    return bool(NAME.search(str(entry.get("property"))))
