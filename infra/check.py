"""Reads and checks everything that a stack deploys: its settings, contracts, requests, the plan of grants, the wheel.

`python -m infra.check [STACK…]` does so before the engine starts, and before there is a wheel: it prints the settings,
or all faults. The program calls `read_everything`, which leaves the conditions and references of contracts unexamined:
parsing SQL would make each preview half a second longer.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from churn.core.contract import Contract, read_contracts
from churn.core.faults import Fault, FaultsError
from infra.access.plan import Plan
from infra.access.stack_plan import plan_access
from infra.written import paths
from infra.written.requests import WorkspaceArea, read_requests
from infra.written.stacks import read_settings, settings_in_program, stack_names
from infra.written.wheel import find_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from infra.written.settings.platform import Platform
    from infra.written.settings.stack import Settings

    ContractsReader = Callable[[Path, Collection[str] | None], tuple[Contract, ...]]

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class PlatformSources:
    """Inputs of the platform layer.

    Attributes:
        settings: The stack's section `platform`.
        contracts: Of all tables.
        requests: Workspace areas that teams have requested for this stack.
        plan: Merged grants of roles, contracts and requests.
        wheel: The built wheel of the workloads.
    """

    settings: Platform
    contracts: tuple[Contract, ...]
    requests: tuple[WorkspaceArea, ...]
    plan: Plan
    wheel: Path


@dataclass(frozen=True)
class Written:
    """Inputs of a stack, as people wrote them.

    Attributes:
        settings: All settings of the stack.
        contracts: Of all tables; empty if the stack has no use for them.
        platform: What its layer of the platform is made from; None if it has no such layer.
    """

    settings: Settings
    contracts: tuple[Contract, ...]
    platform: PlatformSources | None


class Reader:
    """Reads one source after the other and keeps the faults of all.

    Attributes:
        faults: Found so far, each once.
    """

    def __init__(self) -> None:
        """Begins without faults."""
        self.faults: dict[Fault, None] = {}

    def read(self, source: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """Calls a function that reads a source; None if the source has faults."""
        try:
            return source(*args, **kwargs)
        except FaultsError as error:
            self.faults.update(dict.fromkeys(error.faults))
            return None


def read_everything(stack: str, config: dict[str, str]) -> Written:
    """Reads all that the program deploys, before it makes anything.

    Args:
        stack: Name of the stack.
        config: The engine's configuration, text by names with namespace.

    Raises:
        FaultsError: With every fault of every source.
    """
    reader = Reader()
    settings = reader.read(settings_in_program, stack, config)
    platform = settings.platform if settings else None
    wheel = reader.read(find_wheel, paths.WHEELS) if platform or not settings else None
    contracts, requests, plan = _read_platform(reader, stack, settings)
    if settings is None or reader.faults:
        raise FaultsError(reader.faults)
    if not (platform and contracts is not None and requests is not None and plan is not None and wheel):
        return Written(settings, contracts or (), None)
    return Written(settings, contracts, PlatformSources(platform, contracts, requests, plan, wheel))


def check(stack_files: Sequence[Path]) -> list[Settings]:
    """Reads all that stacks deploy, except the wheel, without the engine.

    Args:
        stack_files: The stacks' files.

    Raises:
        FaultsError: With every fault of every source of every stack.
    """
    from infra.written.contracts.check import check_contracts  # late: it parses SQL, which the program does without

    reader = Reader()
    checked = []
    for path in stack_files:
        settings = reader.read(read_settings, path)
        _read_platform(reader, path.stem.removeprefix("Pulumi."), settings, check_contracts)
        if settings:
            checked.append(settings)
    if reader.faults:
        raise FaultsError(reader.faults)
    return checked


def _read_platform(
    reader: Reader, stack: str, settings: Settings | None, contracts_in: ContractsReader = read_contracts
) -> tuple[tuple[Contract, ...] | None, tuple[WorkspaceArea, ...] | None, Plan | None]:
    """Contracts, requests and the plan of grants of a stack; without settings, groups are not checked."""
    if settings and not settings.platform:
        return None, None, None
    groups = settings.platform.group_names if settings and settings.platform else None
    contracts = _delivered(reader.read(contracts_in, paths.CONTRACTS, groups), settings)
    requests = reader.read(read_requests, stack, groups)
    plan = None
    if settings and contracts is not None and requests is not None:
        plan = reader.read(plan_access, settings, contracts, requests)
    return contracts, requests, plan


def _delivered(contracts: tuple[Contract, ...] | None, settings: Settings | None) -> tuple[Contract, ...] | None:
    """The contracts whose tables a stack makes: those of files and, with a stream, those of topics."""
    streamed = settings is not None and settings.platform is not None and settings.platform.stream is not None
    return contracts and tuple(contract for contract in contracts if streamed or contract.topic is None)


def main(arguments: Sequence[str]) -> None:
    """Checks stacks with what they deploy, and prints their settings."""
    parser = argparse.ArgumentParser(
        "python -m infra.check",
        description="Checks the settings of stacks, and the contracts and requests that they deploy.",
    )
    parser.add_argument("stacks", nargs="*", help="names of stacks, or paths of their files; default: all")
    files = [
        Path(stack) if stack.endswith((".yaml", ".yml")) else paths.REPOSITORY / f"Pulumi.{stack}.yaml"
        for stack in parser.parse_args(arguments).stacks or sorted(stack_names())
    ]
    try:
        for settings in check(files):
            print(settings.model_dump_json(indent=2))
    except FaultsError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(sys.argv[1:])
