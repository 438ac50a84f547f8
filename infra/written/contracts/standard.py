"""Open Data Contract Standard: its own JSON schema, applied to a contract.

https://github.com/bitol-io/open-data-contract-standard/tree/main/schema
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from jsonschema import Draft201909Validator
from jsonschema.exceptions import best_match

from churn.core.faults import choices, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from churn.core.faults import Fault
    from churn.core.files import Document

VERSION = "v3.1.0"  # of the standard that the contracts keep


@cache
def _validator() -> Draft201909Validator:
    return Draft201909Validator(json.loads((files("open_data_contract_standard") / "schema.json").read_text()))


def broken_standard(document: Document) -> Iterator[Fault]:
    """The faults that the standard's schema finds, and another version of the standard."""
    if document.values.get("apiVersion") != VERSION:
        received, remedy = shown(document.values.get("apiVersion")), f"write apiVersion: {VERSION}"
        allowed = "the version of the standard that every contract here keeps"
        yield document.fault(("apiVersion",), received=received, allowed=allowed, remedy=remedy)
    for error in _validator().iter_errors(document.values):
        found = best_match([error]) or error  # the innermost one says what is wrong
        place = tuple(found.absolute_path)
        if place == ("apiVersion",):
            continue
        allowed = choices(map(str, found.validator_value)) if found.validator == "enum" else found.message
        remedy = f"write {place[-1]} as the standard describes it" if place else "add what is missing"
        yield document.fault(place, received=shown(found.instance), allowed=allowed, remedy=remedy)
