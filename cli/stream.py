"""The commands `platform stream …`. Each parses its options and calls a module of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from local.progress import console, step
from local.settings import LocalSettings

app = typer.Typer(
    help="The stream of events: its simulator, its state, its account, and what was set aside.", no_args_is_help=True
)


@app.command()
def start(
    rate: Annotated[float, typer.Option(min=0.1, max=100_000, help="Messages a second.")] = 1000,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of every draw; default: the stack's.")] = None,
    skew: Annotated[
        float | None, typer.Option(min=0, max=5, help="Exponent of Zipf's law over customers; 0 makes all as busy.")
    ] = None,
    duplicates: Annotated[float | None, typer.Option(min=0, max=1, help="Share of repeated events.")] = None,
    late: Annotated[float | None, typer.Option(min=0, max=1, help="Share of events minutes to days late.")] = None,
    malformed: Annotated[float | None, typer.Option(min=0, max=1, help="Share of messages no one can read.")] = None,
    unknown_fields: Annotated[
        float | None, typer.Option(min=0, max=1, help="Share of events with a field the contract lacks.")
    ] = None,
    unknown_customers: Annotated[
        float | None, typer.Option(min=0, max=1, help="Share of events of customers no file has reported.")
    ] = None,
) -> None:
    """Starts the simulator of events in the background. Seed, shares and the moment of the start draw the events.

    Example: platform stream start --rate 1000 --duplicates 0.05
    """
    from cli import simulator
    from cli.brokers import offsets
    from cli.deployed_stream import deployed_stream

    settings = LocalSettings.load()
    shares = {
        "skew": skew,
        "duplicate": duplicates,
        "late": late,
        "malformed": malformed,
        "unknown-field": unknown_fields,
        "unknown-customer": unknown_customers,
    }
    with step("start the simulator of events") as report:
        stream = deployed_stream(settings)
        partitions = len(offsets(stream.brokers, stream.topic))
        given = {name: share for name, share in shares.items() if share is not None}
        started = simulator.start(settings, stream, rate, seed, given)
        report(f"{rate:g} messages a second to {stream.topic} ({partitions} partitions), process {started.process.pid}")


@app.command()
def stop() -> None:
    """Stops the simulator, and says what the brokers have confirmed."""
    from cli import simulator

    report = simulator.stop(LocalSettings.load())
    console.print("no simulator runs" if report is None else f"stopped: {json.dumps(report)}", markup=False)


@app.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False) -> None:
    """Shows simulator, brokers, pipeline, job, lag and freshness; ends with status 1 unless the stream is up."""
    from cli import stream_status
    from cli.deployed_stream import deployed_stream

    settings = LocalSettings.load()
    found = stream_status.status(settings, deployed_stream(settings))
    if as_json:
        typer.echo(json.dumps(found.as_dict(), indent=2))
    else:
        for line in stream_status.lines(found):
            console.print(line, markup=False)
    if not found.well:
        raise typer.Exit(1)


@app.command()
def audit(
    wait: Annotated[float, typer.Option(min=0, help="Seconds for messages that are still on the way.")] = 60,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Accounts for every message, by partition; ends with status 1 where one is lost, or there twice.

    Example: platform stream audit --wait 120
    """
    from dataclasses import asdict

    from cli import stream_account
    from cli.deployed_stream import deployed_stream

    account = stream_account.audit(deployed_stream(LocalSettings.load()), wait)
    if as_json:
        typer.echo(json.dumps({**asdict(account), "lost": account.lost, "twice": account.twice}, indent=2))
    else:
        for line in stream_account.lines(account):
            console.print(line, markup=False)
    if account.lost or account.twice:
        raise typer.Exit(1)


@app.command()
def quarantine(
    file: Annotated[Path, typer.Argument(help="File that is written.")] = Path("quarantine.jsonl"),
) -> None:
    """Writes quarantined messages that nobody has replayed to a file, a line of JSON each, to correct their `value`.

    Example: platform stream quarantine poison.jsonl
    """
    from cli import stream_repair
    from cli.deployed_stream import deployed_stream

    number = stream_repair.quarantine(deployed_stream(LocalSettings.load()), file)
    console.print(f"{number:,} messages in {file}: correct each `value`, then: platform stream replay {file}")


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="File of `platform stream quarantine`, with repaired values.")],
) -> None:
    """Puts repaired messages back into the topic, each once. A line that is wrong stops all of them.

    Example: platform stream replay poison.jsonl
    """
    from cli import stream_repair
    from cli.deployed_stream import deployed_stream

    with step("replay repaired messages") as report:
        report(f"{stream_repair.replay(deployed_stream(LocalSettings.load()), file):,} messages")
