"""A contract with anything in any place has faults or none: a command ends with no exception of another kind."""

from __future__ import annotations

import random
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from churn.core.faults import FaultsError
from infra.written import paths
from infra.written.contracts.check import check_files
from infra.written.contracts.diff import diff, shown
from infra.written.contracts.terms import read_terms

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILES = ("usage.yaml", "gold/churn_labels.yaml")
ODD = (None, [], {}, 3, -1.5, True, "", "x", [None], {"a": None}, [[1]], "a = 'b", "((", ["x", 3], {"property": 3})


def places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The place of every value at any depth, the whole left out."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield (*place, key)
        yield from places(value[key], (*place, key))


def mutate(document: dict[str, Any], draw: random.Random) -> None:
    """Removes one value, or puts an odd one in its place."""
    *path, last = draw.choice(list(places(document)))
    holder: Any = document
    for key in path:
        holder = holder[key]
    if draw.random() < 0.25:
        del holder[last]
    else:
        holder[last] = draw.choice(ODD)


@pytest.mark.parametrize("file", FILES)
def test_a_mutated_contract_has_faults_or_none(request: pytest.FixtureRequest, tmp_path: Path, file: str) -> None:
    mutations = 500 if request.config.getoption("--soak") else 25
    folder = tmp_path / "contracts"
    for name in (*FILES, "customer.yaml"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(paths.CONTRACTS / name, folder / name)
    before, text = read_terms(folder), (folder / file).read_text()
    refused, changed = 0, 0
    for seed in range(mutations):
        document = yaml.safe_load(text)
        mutate(document, random.Random(seed))  # noqa: S311 (nothing here is secret)
        (folder / file).write_text(yaml.safe_dump(document, sort_keys=False))
        try:
            check_files([folder / file])
        except FaultsError:
            refused += 1
        try:
            changed += shown(diff(before, read_terms(folder))) != "no difference"
        except FaultsError:
            changed += 1
    assert refused > mutations / 2
    assert changed > mutations / 2
