"""`platform access`: who reads what of the local stack, in clear or masked, and by which right."""

from __future__ import annotations

from typing import Annotated

import typer

from local.progress import console
from local.settings import LocalSettings

app = typer.Typer(help="Who reads what: in clear or masked, and by which right.", no_args_is_help=True)


@app.command()
def who(
    table: Annotated[str, typer.Argument(help="Table of the local stack, such as silver.customer.")],
) -> None:
    """Lists who reads a table of the local stack.

    Example: platform access who silver.customer
    """
    from cli import access

    for found in access.of_local_stack(LocalSettings.load(), table=table):
        console.print(f"{found.principal}  {found.sight}\n  [dim]{found.route}[/dim]", highlight=False)


@app.command()
def what(
    principal: Annotated[str, typer.Argument(help="A user, or the application id of a service principal.")],
) -> None:
    """Lists the tables of the local stack that a principal reads.

    Example: platform access what admin@churn.local
    """
    from cli import access

    for found in access.of_local_stack(LocalSettings.load(), principal=principal):
        console.print(f"{found.table}  {found.sight}\n  [dim]{found.route}[/dim]", highlight=False)
