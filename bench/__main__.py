"""`python -m bench [NAME …]`: runs measurements and prints their figures as rows of a table."""

from __future__ import annotations

import argparse
import os
import platform
import sys

from bench import authorise, contracts, erase, ingest, preview, prod, stream, up
from local.errors import LocalError

MEASUREMENTS = {
    "cold": up.cold,
    "cached": up.cached,
    "rehearsal": up.rehearsal,
    "prod": prod.prod,
    "stream": stream.stream,
    "stream-hour": stream.stream_hour,
    "tests": up.tests,
    "contracts": contracts.contracts,
    "preview": preview.of_running_platform,
    "ingest": ingest.ingest,
    "authorise": authorise.of_running_platform,
    "erase": erase.of_running_platform,
}
ALL = ("cold", "cached", "rehearsal", "prod", "stream", "tests", "contracts")


def main() -> None:
    """Runs the named measurements; by default, all that need no running platform."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    help_text = "; ".join(
        f"{name}: {(function.__doc__ or '').splitlines()[0]}" for name, function in MEASUREMENTS.items()
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=help_text)
    names = parser.parse_args().names or list(ALL)
    if unknown := sorted(set(names) - MEASUREMENTS.keys()):
        parser.error(f"no measurement {', '.join(unknown)}; there are {', '.join(MEASUREMENTS)}")
    print(f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}")
    print("| what | figure |\n|---|---|")
    for name in names:
        try:
            for what, figure in MEASUREMENTS[name]():
                print(f"| {what} | {figure} |", flush=True)
        except LocalError as error:
            sys.exit(f"error: {name}: {error}")


if __name__ == "__main__":
    main()
