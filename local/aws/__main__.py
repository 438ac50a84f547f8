"""Command line: `python -m local.aws install` and `python -m local.aws serve`."""

from __future__ import annotations

import argparse
import sys

from local.aws.kafka.install import install
from local.errors import AwsStateError, InstallError, SettingsError
from local.settings import LocalSettings


def main() -> None:
    """Runs the command; ends with status 1, or 2 for a wrong setting, where it fails."""
    parser = argparse.ArgumentParser(prog="python -m local.aws", description="AWS, on this machine.")
    parser.add_argument("command", choices=["install", "serve"])
    command = parser.parse_args().command
    try:
        if command == "install":
            sys.stdout.write(f"{install()}\n")
        else:
            settings = LocalSettings.load()
            from local.aws.server import Server  # which loads moto

            Server(settings, install()).run()
    except (InstallError, AwsStateError, OSError) as error:
        sys.exit(f"error: {error}")
    except SettingsError as error:
        print(error, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
