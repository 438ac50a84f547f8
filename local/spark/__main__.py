"""Command line: `python -m local.spark install` and `python -m local.spark serve`."""

from __future__ import annotations

import argparse
import sys

from local.errors import InstallError, ServerError, SettingsError
from local.settings import LocalSettings
from local.spark.install import install
from local.spark.server import serve


def main() -> None:
    """Runs the command; ends with status 1, or 2 for a wrong setting, where it fails."""
    parser = argparse.ArgumentParser(prog="python -m local.spark", description="The local Spark Connect server.")
    parser.add_argument("command", choices=["install", "serve"])
    command = parser.parse_args().command
    try:
        if command == "install":
            sys.stdout.write(f"{install()}\n")
        else:
            serve(LocalSettings.load())
    except (InstallError, ServerError) as error:
        sys.exit(f"error: {error}")
    except SettingsError as error:
        print(error, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
