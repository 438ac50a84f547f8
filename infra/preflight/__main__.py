"""`python -m infra.preflight STACK`: everything that a workspace lacks for a stack, all at once."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from churn.core.faults import FaultsError
from infra.check import check
from infra.preflight.checks import inspect
from infra.preflight.inspection import NoWorkspaceError
from infra.written.paths import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.preflight.inspection import Finding


def main(arguments: Sequence[str]) -> None:
    """Prints all findings; ends with status 1 if something is missing."""
    parser = argparse.ArgumentParser("python -m infra.preflight", description="Says all that a workspace lacks.")
    parser.add_argument("stack", help="name of a stack, or path of its file")
    parser.add_argument("--offline", action="store_true", help="leave out what needs a package registry")
    options = parser.parse_args(arguments)
    logging.getLogger("databricks.sdk").setLevel(logging.ERROR)  # a host without metadata is no warning here
    named = options.stack.endswith((".yaml", ".yml"))
    file = Path(options.stack) if named else REPOSITORY / f"Pulumi.{options.stack}.yaml"
    missing = 0
    try:
        (settings,) = check([file])
        for title, findings in inspect(settings, offline=options.offline):
            print(title)
            for finding in findings:
                missing += finding.missing
                print(_line(finding))
    except (FaultsError, NoWorkspaceError, OSError) as error:  # the last where the workspace falls silent on the way
        sys.exit(str(error))
    if missing:
        sys.exit(f"{missing} missing")


def _line(finding: Finding) -> str:
    if finding.skipped:
        return f"  - {finding.what}: not checked: {finding.received}"
    if not finding.missing:
        return f"  ✓ {finding.what}: {finding.received}"
    return f"  ✗ {finding.what}: received {finding.received}; allowed: {finding.allowed}\n    → {finding.remedy}"


if __name__ == "__main__":
    main(sys.argv[1:])
