"""The commands of `platform contract`, which the program's own checks run."""

from __future__ import annotations

import subprocess
import sys
from typing import Annotated

import typer

app = typer.Typer(help="Data contracts: check, compare, document, begin.", no_args_is_help=True)


def run(*arguments: str) -> None:
    """Runs a command over contracts, and ends with its status."""
    raise typer.Exit(
        subprocess.run([sys.executable, "-m", "infra.written.contracts", *arguments], check=False).returncode
    )


@app.command()
def check(
    files: Annotated[list[str] | None, typer.Argument(help="Files of contracts; default: all of contracts/.")] = None,
) -> None:
    """Checks contracts for everything that can be known before they are deployed.

    Example: platform contract check contracts/customer.yaml
    """
    run("check", *(files or ()))


@app.command()
def diff(
    base: Annotated[str, typer.Argument(help="A git revision, or a folder of contracts.")],
    versions: Annotated[
        bool, typer.Option("--versions", help="End with status 1 if a contract lacks the version it needs, else 0.")
    ] = False,
) -> None:
    """Compares the contracts with earlier ones by meaning. Status: 0 no difference, 2 safe, 3 breaking, 1 an error.

    Example: platform contract diff main
    """
    run("diff", base, *(["--versions"] if versions else []))


@app.command()
def migrate(base: Annotated[str, typer.Argument(help="A git revision, or a folder of contracts.")]) -> None:
    """Says which changes of contracts apply themselves, and what has to be rebuilt for the others. Changes nothing.

    Example: platform contract migrate main
    """
    run("migrate", base)


@app.command()
def docs() -> None:
    """Writes the data dictionary, docs/data-dictionary.md."""
    run("docs")


@app.command()
def new(table: Annotated[str, typer.Argument(help="Name of the table, such as returns.")]) -> None:
    """Begins the contract of a table; it passes the check once its TODOs are answered.

    Example: platform contract new returns
    """
    run("new", table)
