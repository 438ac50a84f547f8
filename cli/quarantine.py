"""The commands `platform quarantine …`: what was set aside, of files and of the stream, and how it comes back."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from local.progress import console, step
from local.settings import LocalSettings

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

    from cli.deployed_stream import DeployedStream

app = typer.Typer(
    help="Rows that were set aside: counted, shown with reasons, released once repaired.", no_args_is_help=True
)
STREAMED = "events"
StackOption = Annotated[
    str, typer.Option(help="Stack that has them; other than local it is one of the shell's Pulumi backend.")
]


def _day(text: str) -> str:
    """Checks a day before anything is asked."""
    try:
        return text and dt.date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no day: {error}; write YYYY-MM-DD") from error


def _domain(text: str) -> str:
    """Checks a name that becomes part of a query."""
    if not text.isidentifier():
        raise typer.BadParameter(f"{text!r} is no table; name one such as support")
    return text


DomainArgument = Annotated[
    str, typer.Argument(callback=_domain, help="Table that they are of, such as support, or events.")
]


@app.command("list")
def list_(stack: StackOption = "local") -> None:
    """Counts quarantined rows by table, rule and day, and how many of them were released.

    Example: platform quarantine list --stack prod
    """
    from rich.table import Table

    from cli import quarantined

    client, outputs = _reach(stack)
    table = Table("table", "day", "rule", "rows", "released")
    counts, refused = quarantined.counts(client, outputs)
    for count in counts:
        table.add_row(count.table, count.day, count.rule, f"{count.rows:,}", f"{count.released:,}")
    console.print(table if table.row_count else "nothing is quarantined")
    for name, reason in refused.items():
        console.print(f"{name} was not counted: {reason}", markup=False)


@app.command()
def show(
    domain: DomainArgument,
    rule: Annotated[str, typer.Option(help="Only rows that break this rule.")] = "",
    day: Annotated[str, typer.Option(callback=_day, help="Only rows of this day's folder, YYYY-MM-DD.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Most rows.")] = 1_000,
    output: Annotated[Path | None, typer.Option(help="File to write, for `release`; default: the terminal.")] = None,
    stack: StackOption = "local",
) -> None:
    """Shows quarantined rows that were not released, a line of JSON each; what you may not see is masked.

    Example: platform quarantine show support --rule priority_is_known --output repair.jsonl
    """
    from cli import quarantined, stream_repair

    if day and domain == STREAMED:
        raise typer.BadParameter("messages lie in no day's folder; leave --day out")
    client, outputs = _reach(stack)
    if domain == STREAMED:
        lines = stream_repair.listed(_stream(client, outputs), rule=rule, limit=limit)
    else:
        lines = quarantined.shown(client, outputs, domain, rule=rule, day=day, limit=limit)
    if output is None:
        typer.echo("\n".join(lines))
        return
    output.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    field = "value" if domain == STREAMED else "row"
    console.print(
        f"{len(lines):,} rows in {output}: correct each `{field}`, then: platform quarantine release {domain} {output}"
    )


@app.command()
def release(
    domain: DomainArgument,
    file: Annotated[Path, typer.Argument(help="File of `show`, with repaired rows.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check the rows, and deliver none.")] = False,
    stack: StackOption = "local",
) -> None:
    """Delivers repaired rows again, each once; one that still breaks a rule stops all of them.

    Example: platform quarantine release support repair.jsonl --dry-run
    """
    from cli import quarantined, stream_repair

    client, outputs = _reach(stack)
    verb = "would be" if dry_run else "are"
    with step("check and release repaired rows") as report:
        if domain == STREAMED:
            sent = stream_repair.replay(_stream(client, outputs), file, dry=dry_run)
            report(f"{sent:,} messages {verb} replayed")
            return
        done = quarantined.release(client, outputs, domain, file, dry=dry_run)
        report(f"{len(done.files):,} rows {verb} delivered, {done.before:,} were released before")
    if done.files and not dry_run:
        console.print("the next run of churn_daily takes them in")


def _reach(stack: str) -> tuple[WorkspaceClient, dict[str, Any]]:
    """The workspace of a stack, and the stack's outputs."""
    from cli import runs

    settings = LocalSettings.load()
    outputs = runs.outputs_of(settings, stack)
    return runs.client_of(settings, stack, outputs), outputs


def _stream(client: WorkspaceClient, outputs: dict[str, Any]) -> DeployedStream:
    from cli.deployed_stream import stream_of

    return stream_of(client, outputs)
