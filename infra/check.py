"""Checks what stacks deploy before the engine starts: their settings, and the contracts and requests.

`python -m infra.check [STACK…]` prints the settings, or all faults.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from churn.core.faults import FaultsError
from infra.access.plan import plan_access
from infra.written.contracts import read_contracts
from infra.written.paths import REPOSITORY
from infra.written.requests import read_requests
from infra.written.stacks import read_settings, stack_names


def main(arguments: list[str]) -> None:
    """Checks stacks with what they deploy, and prints their settings."""
    parser = argparse.ArgumentParser(
        "python -m infra.check",
        description="Checks the settings of stacks, and the contracts and requests that they deploy.",
    )
    parser.add_argument("stacks", nargs="*", help="names of stacks, or paths of their files; default: all")
    for stack in parser.parse_args(arguments).stacks or sorted(stack_names()):
        path = Path(stack)
        file = path if path.suffix in (".yaml", ".yml") else REPOSITORY / f"Pulumi.{stack}.yaml"
        try:
            settings = read_settings(file)
            if settings.platform:
                contracts = read_contracts(settings.platform.group_names)
                plan_access(settings, contracts, read_requests(settings.stack, settings.platform))
        except FaultsError as error:
            sys.exit(str(error))
        print(settings.model_dump_json(indent=2))
    # The wheel's own reader, as a program: nothing of the workloads is imported here.
    read = subprocess.run(
        [sys.executable, "-m", "churn.core.contract"], cwd=REPOSITORY / "workloads" / "src", check=False
    )
    if read.returncode:
        sys.exit(read.returncode)


if __name__ == "__main__":
    main(sys.argv[1:])
