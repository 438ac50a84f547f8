"""`python -m local.engine install`: makes the engine and the Databricks provider ready; nothing to do when cached."""

from __future__ import annotations

import sys

from local.engine.installation import install
from local.errors import EngineError


def main() -> int:
    """Runs the command and returns its exit code."""
    if sys.argv[1:] != ["install"]:
        print("usage: python -m local.engine install", file=sys.stderr)
        return 2
    try:
        installed = install()
    except EngineError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"engine: {installed.engine}\ndatabricks provider: {installed.provider}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
