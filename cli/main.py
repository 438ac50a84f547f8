"""The commands of `platform`. Each command parses its options and calls a module of its own."""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
from typing import Annotated

import typer

from cli.access_commands import app as access_app
from cli.contract import app as contract_app
from cli.errors import CommandError
from cli.quarantine import app as quarantine_app
from cli.stream import app as stream_app
from local.errors import LocalError
from local.progress import console, errors
from local.settings import LocalSettings, no_proxy_variables

app = typer.Typer(
    name="platform",
    help="Runs and changes the churn platform. `platform up` runs all of it on this machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
local_app = typer.Typer(help="The local cloud: the services that replace Databricks here.", no_args_is_help=True)
app.add_typer(local_app, name="local")
app.add_typer(stream_app, name="stream")
app.add_typer(quarantine_app, name="quarantine")
app.add_typer(contract_app, name="contract")
app.add_typer(access_app, name="access")


def _logical_date(text: str | None) -> str | None:
    """Checks a date before anything is built or run for it."""
    try:
        return None if text is None else dt.date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no day: {error}; write YYYY-MM-DD") from error


JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


@app.command()
def up(
    date: Annotated[
        str | None,
        typer.Option(callback=_logical_date, help="Logical date of the run, YYYY-MM-DD; default: the stack's setting."),
    ] = None,
) -> None:
    """Builds, starts and deploys everything on this machine, and runs the daily job once.

    Example: platform up --date 2026-07-01
    """
    from cli import lifecycle

    lifecycle.up(LocalSettings.load(), date)


@app.command()
def down() -> None:
    """Destroys the local stack through Pulumi and stops every service. Keeps builds and logs."""
    from cli import lifecycle

    lifecycle.down(LocalSettings.load())


@app.command()
def preview() -> None:
    """Shows what `up` would change in the local stack, under the policy pack. Starts the services first.

    Example: git switch main && make up && git switch my-change && .venv/bin/platform preview
    """
    from cli import lifecycle

    lifecycle.preview(LocalSettings.load())


@app.command()
def install() -> None:
    """Builds what the local cloud needs, once: engine, provider, Spark's jars, the wheel."""
    from cli import lifecycle

    lifecycle.install(LocalSettings.load())


@app.command()
def wheel() -> None:
    """Builds the wheel `churn` that jobs and pipelines run; `pulumi up` on any stack needs it."""
    from cli.wheel import build_wheel
    from local.progress import step

    with step("build the wheel") as report:
        report(build_wheel(LocalSettings.load().logs / "install-wheel.log", report).name)


@app.command()
def ground(
    stack: Annotated[str, typer.Argument(help="Name of a stack with a file, such as prod.")],
    yes: Annotated[bool, typer.Option("--yes", help="Deploy the plan without asking.")] = False,
) -> None:
    """Makes the ground of a new environment, the first of its two steps; it says what to write for the second.

    Example: platform ground prod
    """
    from cli.ground import deploy_ground

    host, number = deploy_ground(stack, yes=yes)
    console.print(f"the workspace is {host}, its number {number}")
    console.print(
        f"write them as churn:platform.workspace.host and .id into Pulumi.{stack}.yaml, then: pulumi up --stack {stack}"
    )


@app.command()
def explain() -> None:
    """Passes on the engine's output, and ends it with a remedy for each refusal; ends with status 1 where there is one.

    Example: pulumi up --yes --stack prod --policy-pack policies 2>&1 | platform explain
    """
    from cli.remedies import passed_on

    if advice := passed_on(sys.stdin):
        raise CommandError(advice)


@app.command()
def rehearse(
    environments: Annotated[
        list[str] | None, typer.Argument(help="Stacks above the account, of dev and prod; default: both.")
    ] = None,
    day: Annotated[bool, typer.Option(help="Run the daily job once in dev.")] = True,
    kills: Annotated[int, typer.Option(min=0, help="How often to kill the engine while it deploys each of them.")] = 0,
    faults: Annotated[
        float, typer.Option(min=0, max=0.5, help="Share of requests that are refused, late or lost while it deploys.")
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="Of the random points at which the engine is killed, and of faults.")] = 1,
) -> None:
    """Deploys the account, dev and prod, whole, on a local cloud of their own; changes a setting, destroys everything.

    Example: platform rehearse dev --no-day --kills 2
    """
    from cli.rehearsal import ENVIRONMENTS, rehearse

    if unknown := [name for name in environments or () if name not in ENVIRONMENTS]:
        raise typer.BadParameter(f"{unknown[0]!r} is not rehearsed; there are {' and '.join(ENVIRONMENTS)}")
    if kills and faults:
        raise typer.BadParameter("give --kills or --faults: each needs a first deployment")
    rehearse(LocalSettings.load(), environments or ENVIRONMENTS, day=day, kills=kills, faults=faults, seed=seed)


@app.command()
def run(
    job: Annotated[str, typer.Argument(help="Name of a deployed job, such as churn_daily.")],
    date: Annotated[
        str | None,
        typer.Option(
            callback=_logical_date,
            help="Logical date, YYYY-MM-DD; default: the job's own. With --missing the last day to look at.",
        ),
    ] = None,
    missing: Annotated[
        bool, typer.Option("--missing", help="Run every day since the first scored one that has no scores, in order.")
    ] = False,
    stack: Annotated[
        str, typer.Option(help="Stack that has the job; other than local it is one of the shell's Pulumi backend.")
    ] = "local",
) -> None:
    """Runs a deployed job and shows its tasks until it ends.

    Example: platform run churn_daily --missing --stack prod
    """
    from cli import runs

    runs.run_job(LocalSettings.load(), stack, job, date, missing=missing)


@app.command()
def readmit(
    file: Annotated[str, typer.Argument(help="Path below the schema landing, such as support/2026-01-02/a.csv.")],
    stack: Annotated[
        str, typer.Option(help="Stack that took it in; other than local it is one of the shell's Pulumi backend.")
    ] = "local",
) -> None:
    """Deletes what is left of an admitted file's rows, so that its next delivery is taken in and is no duplicate.

    Example: platform readmit support/2026-01-02/a.csv --stack prod
    """
    from cli import readmit as readmission
    from cli import runs

    settings = LocalSettings.load()
    outputs = runs.outputs_of(settings, stack)
    left = readmission.readmit(runs.client_of(settings, stack, outputs), outputs, file)
    console.print(f"{left} rows of {file} were left and are deleted; deliver it again, and the next run takes it in")


@app.command()
def erase(
    customer: Annotated[str, typer.Option(help="Id of the customer, as source systems write it.")],
    stack: Annotated[
        str, typer.Option(help="Stack to erase from; other than local it is one of the shell's Pulumi backend.")
    ] = "local",
) -> None:
    """Removes a customer from files, tables, events and the online store, and keeps out what comes later.

    Example: platform erase --customer 7590-VHVEG --stack prod
    """
    from cli import erase as erasure
    from cli import runs

    settings = LocalSettings.load()
    outputs = runs.outputs_of(settings, stack)
    for line in erasure.erase(runs.client_of(settings, stack, outputs), outputs, customer):
        console.print(line, highlight=False)


@app.command()
def doctor(as_json: JsonOption = False) -> None:
    """Checks this machine and the running services; ends with status 1 where a check fails.

    Example: platform doctor --json
    """
    from cli import doctor as checks

    findings = checks.findings(LocalSettings.load())
    if as_json:
        typer.echo(json.dumps([vars(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            mark = "[green]✓[/green]" if finding.ok else "[red]✗[/red]"
            console.print(f"{mark} {finding.name}: {finding.state}" + ("" if finding.ok else f"\n  → {finding.remedy}"))
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


@app.command()
def preflight(
    stack: Annotated[str, typer.Argument(help="Name of a stack, such as dev.")],
    offline: Annotated[bool, typer.Option("--offline", help="Leave out what needs a package registry.")] = False,
) -> None:
    """Says all that a workspace lacks before the first `up` of a stack; ends with status 1 where something is missing.

    Example: platform preflight dev
    """
    from cli import preflight as checks

    raise typer.Exit(checks.preflight(LocalSettings.load(), stack, offline=offline))


@app.command()
def adopt(
    stack: Annotated[str, typer.Argument(help="Name of a stack, such as dev.")],
    mine: Annotated[
        list[str] | None,
        typer.Option(help="A resource whose object is the stack's, as you know and nothing tells; can be repeated."),
    ] = None,
) -> None:
    """Repairs a stack after an interrupted `up`: what it has made enters the state, a dead lock goes; then `up` again.

    Example: platform adopt dev
    """
    from cli import adoption

    raise typer.Exit(adoption.adopt(LocalSettings.load(), stack, mine or ()))


@local_app.command()
def start() -> None:
    """Starts the services that do not run and waits until all answer."""
    from cli import lifecycle

    lifecycle.start(LocalSettings.load())


@local_app.command()
def stop() -> None:
    """Stops all services; what is deployed is kept and served again after `start`."""
    from local import supervisor

    console.print("stopped" if supervisor.stop(LocalSettings.load()) else "nothing runs")


@local_app.command()
def status(as_json: JsonOption = False) -> None:
    """Shows each service; ends with status 1 unless all answer."""
    from local import supervisor

    statuses = supervisor.statuses(LocalSettings.load())
    if as_json:
        typer.echo(json.dumps([vars(service) for service in statuses], indent=2))
    else:
        for service in statuses:
            mark = "[green]✓[/green]" if service.healthy else "[red]✗[/red]"
            console.print(
                f"{mark} {service.name:<10} {service.state.lower():<10} port {service.port} process {service.pid}"
            )
    if not all(service.healthy for service in statuses):
        raise typer.Exit(1)


@local_app.command()
def logs(
    services: Annotated[list[str] | None, typer.Argument(help="Services; default: all.")] = None,
    lines: Annotated[int, typer.Option(min=1, help="How many of the newest lines of each.")] = 40,
) -> None:
    """Shows the newest lines of the services' logs.

    Example: platform local logs workspace --lines 100
    """
    folder = LocalSettings.load().logs
    known = sorted(path.stem for path in folder.glob("*.log"))
    if not services and not known:
        console.print(f"no logs in {folder}: there are none yet")
    for name in services or known:
        path = folder / f"{name}.log"
        if not path.exists():
            raise CommandError(f"no log of {name!r} in {folder}: there are {', '.join(known) or 'none yet'}")
        console.rule(str(path))
        typer.echo("\n".join(path.read_text(errors="replace").splitlines()[-lines:]))


@local_app.command()
def env() -> None:
    """Prints shell exports, so that any official client works against the local cloud.

    Example: eval "$(platform local env)"
    """
    from cli.environment import exports

    typer.echo(exports(LocalSettings.load()))


def main() -> None:
    """Runs the command line; an error that a person can correct is shown as text, not as a traceback."""
    os.environ.update(no_proxy_variables())
    try:
        app()
    except (LocalError, OSError) as error:  # DatabricksError is an OSError
        errors.print("[red]error:[/red] ", end="")
        errors.print(str(error), markup=False)
        sys.exit(1)
