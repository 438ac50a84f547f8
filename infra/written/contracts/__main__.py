"""Commands over the data contracts, `python -m infra.written.contracts`; `--help` explains each."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from churn.core.faults import FaultsError
from infra.written import paths
from infra.written.contracts.check import check_every_contract, check_files
from infra.written.contracts.dictionary import page
from infra.written.contracts.diff import compare_with, shown, verdict
from infra.written.contracts.migrate import steps
from infra.written.contracts.template import write_template

if TYPE_CHECKING:
    from collections.abc import Sequence

DICTIONARY = paths.REPOSITORY / "docs" / "data-dictionary.md"


def check(arguments: argparse.Namespace) -> int:
    """Checks all contracts, or some, and counts them."""
    files = [Path(file) for file in arguments.files]
    found = (
        check_files(files) if files else [each for part in check_every_contract(arguments.contracts) for each in part]
    )
    rules = sum(len(contract.quality) for contract in found)
    columns = sum(len(contract.columns) for contract in found)
    print(f"{len(found)} contracts, {columns} columns, {rules} rules: no fault")
    return 0


def diff(arguments: argparse.Namespace) -> int:
    """Compares the contracts with earlier ones; the status says what the differences amount to."""
    found = compare_with(arguments.base, arguments.contracts)
    print(shown(found))
    return int(any(each.demanded for each in found)) if arguments.versions else int(verdict(found))


def migrate(arguments: argparse.Namespace) -> int:
    """Says what makes the differences from earlier contracts hold."""
    print(steps(compare_with(arguments.base, arguments.contracts)))
    return 0


def docs(arguments: argparse.Namespace) -> int:
    """Writes the data dictionary."""
    DICTIONARY.write_text(page(*check_every_contract(arguments.contracts)), encoding="utf-8")
    print(f"wrote {DICTIONARY.relative_to(paths.REPOSITORY)}")
    return 0


def new(arguments: argparse.Namespace) -> int:
    """Begins a contract."""
    path = write_template(arguments.table, arguments.contracts)
    print(f"wrote {path.parent.name}/{path.name}: answer each TODO, then run platform contract check")
    return 0


def main(arguments: Sequence[str]) -> int:
    """Runs a command, and returns the status of the process: 1 with faults."""
    parser = argparse.ArgumentParser("python -m infra.written.contracts", description="Commands over data contracts.")
    parser.add_argument("--contracts", type=Path, default=paths.CONTRACTS, help="folder of the contracts")
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("check", help="check contracts, all or some files, before anything is deployed")
    command.add_argument("files", nargs="*", help="files of contracts; default: all")
    command.set_defaults(run=check)
    command = commands.add_parser("diff", help="compare with earlier contracts; status 0 none, 2 safe, 3 breaking")
    command.add_argument("base", help="a git revision, or a folder of contracts")
    command.add_argument("--versions", action="store_true", help="status 1 if a version is demanded, else 0")
    command.set_defaults(run=diff)
    command = commands.add_parser("migrate", help="say what applies itself, and what is rebuilt")
    command.add_argument("base", help="a git revision, or a folder of contracts")
    command.set_defaults(run=migrate)
    command = commands.add_parser("docs", help="write docs/data-dictionary.md")
    command.set_defaults(run=docs)
    command = commands.add_parser("new", help="begin the contract of a table")
    command.add_argument("table", help="name of the table, such as returns")
    command.set_defaults(run=new)
    parsed = parser.parse_args(arguments)
    try:
        return int(parsed.run(parsed))
    except FaultsError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
