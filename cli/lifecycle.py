"""`platform up`, `down`, `install`: the whole platform on this machine, from nothing and back."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from cli import doctor
from cli.days import DAILY_JOB
from cli.environment import client_environment
from cli.errors import CommandError
from cli.jobs import follow, has_succeeded
from cli.programs import run_logged
from cli.stack import Stack
from cli.summary import show_summary
from cli.wheel import build_wheel
from local import supervisor
from local.content_hash import content_hash
from local.progress import console, step
from local.settings import REPOSITORY, LocalSettings

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient  # half a second to import


def up(settings: LocalSettings, date: str | None) -> None:
    """Builds, starts, deploys, runs the daily job once, and deploys what its model has changed."""
    _check_machine(settings, starting=True)
    stack = Stack.local(settings)
    with step("check the settings"):
        stack.check_settings()
    build(settings)
    start(settings)
    with step("deploy the stack `local`") as report:
        report(stack.up(report))
    outputs = stack.outputs()
    client = workspace_client(settings)
    if date is None and has_succeeded(client, outputs["job_ids"][DAILY_JOB]):
        console.print(f"[green]✓[/green] {DAILY_JOB} has run already [dim]again: platform run {DAILY_JOB}[/dim]")
    else:
        follow(client, outputs["job_ids"][DAILY_JOB], date)
        with step("deploy the champion to the endpoint") as report:
            report(stack.up(report))
    show_summary(client, stack.outputs())


def down(settings: LocalSettings) -> None:
    """Shows that protection holds, switches it off, destroys the stack, and stops every service."""
    stack = Stack.local(settings)
    if stack.exists():
        _check_settings_to_destroy(stack)
        start(settings)
        if stack.protected():
            with step("destroy refuses while data is protected") as report:
                report(stack.expect_refused_destroy(report))
            with step("switch protection off") as report:
                report(stack.unprotect(report))
        with step("destroy the stack `local`") as report:
            report(stack.destroy(report))
    with step("stop the services"):
        supervisor.stop(settings)


def _check_settings_to_destroy(stack: Stack) -> None:
    try:
        stack.check_settings()
    except CommandError as error:
        raise CommandError(
            f"{error}\n  → correct it and run this again, or remove everything without Pulumi: "
            f"`platform local stop`, then remove {stack.settings.home}"
        ) from error


def preview(settings: LocalSettings) -> None:
    """Prints the engine's plan for the local stack, differences in full."""
    _check_machine(settings, starting=True)
    stack = Stack.local(settings)
    stack.check_settings()
    build(settings)
    start(settings)
    with step("preview the stack `local`") as report:
        plan = stack.preview(report)
    console.print(plan, markup=False)


def install(settings: LocalSettings) -> None:
    """Builds what is not built yet; needs no network when everything is built."""
    _check_machine(settings, starting=False)
    build(settings)


def build(settings: LocalSettings) -> None:
    """Builds what is not built yet: engine, provider, jars, the wheel."""
    logs = settings.logs
    for title, module in (
        ("engine and provider", "local.engine"),
        ("Spark's jars and plugins", "local.spark"),
        ("Kafka's jars", "local.aws"),
    ):
        with step(f"install {title}") as report:
            run_logged(
                [sys.executable, "-m", module, "install"],
                logs / f"install-{module.split('.')[-1]}.log",
                report,
                cwd=REPOSITORY,
                remedy=lambda _output: "`platform doctor` checks what the build needs",
            )
    with step("build the wheel") as report:
        report(build_wheel(logs / "install-wheel.log", report).name)


def start(settings: LocalSettings) -> None:
    """Starts the services and waits until all answer; services that run older code are restarted."""
    stamp, wanted = settings.home / "services.stamp", _services_digest()
    if supervisor.running(settings) and not (stamp.exists() and stamp.read_text() == wanted):
        with step("stop the services, whose code has changed"):
            supervisor.stop(settings)
    settings.home.mkdir(parents=True, exist_ok=True)
    stamp.write_text(wanted)
    with step("start the services") as report:
        supervisor.start(settings, report)


def _check_machine(settings: LocalSettings, *, starting: bool) -> None:
    """Checks this machine before anything is built or started.

    Raises:
        CommandError: The machine lacks something; the text has every finding with its remedy.
    """
    findings = doctor.findings(settings, starting=starting)
    if broken := [finding for finding in findings if not finding.ok and finding.name != "services"]:
        raise CommandError("\n".join(f"{finding.name}: {finding.state}\n  → {finding.remedy}" for finding in broken))


def workspace_client(settings: LocalSettings) -> WorkspaceClient:
    """The official client of the local workspace, as its administrator."""
    from databricks.sdk import WorkspaceClient

    environment = client_environment(settings)
    return WorkspaceClient(
        host=environment["DATABRICKS_HOST"],
        token=environment["DATABRICKS_TOKEN"],
        auth_type=environment["DATABRICKS_AUTH_TYPE"],
    )


def _services_digest() -> str:
    """Hash of the services' code and of the environment that they run in."""
    paths = [REPOSITORY / "requirements.lock", *(REPOSITORY / "local").rglob("*")]
    code = (path for path in paths if path.is_file() and path.suffix in (".lock", ".py", ".java", ".xml"))
    return content_hash(REPOSITORY, sorted(code))
