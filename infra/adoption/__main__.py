"""`python -m infra.adoption STACK`: takes into the state what an interrupted deployment has made."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from churn.core.faults import FaultsError
from infra.adoption.adoption import adopt
from infra.adoption.cloud import Deployer
from infra.adoption.engine import AdoptionError, Engine
from infra.written.paths import REPOSITORY
from infra.written.stacks import read_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.written.settings.stack import Settings


def main(arguments: Sequence[str]) -> None:
    """Prints what is adopted; ends with status 1 if a name is taken by somebody else, or something has to be done."""
    parser = argparse.ArgumentParser("python -m infra.adoption", description="Repairs an interrupted deployment.")
    parser.add_argument("stack", help="name of a stack, or path of its file")
    parser.add_argument("--mine", nargs="+", default=[], help="resources whose objects are the stack's, as you know")
    options = parser.parse_args(arguments)
    logging.getLogger("databricks.sdk").setLevel(logging.ERROR)  # a host without metadata is no warning here
    named = options.stack.endswith((".yaml", ".yml"))
    file = Path(options.stack) if named else REPOSITORY / f"Pulumi.{options.stack}.yaml"
    try:
        settings = read_settings(file)
        taken = adopt(Engine(settings.stack, file), _deployer(settings), options.mine)
    except (AdoptionError, FaultsError, OSError) as error:  # the last where a cloud falls silent on the way
        sys.exit(str(error))
    if taken:
        sys.exit("\n".join(taken))


def _deployer(settings: Settings) -> Deployer:
    """By whom the objects of a stack are known."""
    platform = settings.platform
    if platform is None:
        return Deployer(frozenset(), None)
    return Deployer(frozenset({platform.workspace.deployer, platform.groups.platform}), str(platform.account_id))


if __name__ == "__main__":
    main(sys.argv[1:])
