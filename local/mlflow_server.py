"""MLflow's tracking server as a service: `python -m local.mlflow_server`, with the options of `mlflow server`.

`mlflow server` listens in a child, which keeps the port if its parent is killed: every further start would end at once,
and be tried again for ever. So what an earlier one left is ended first.
"""

from __future__ import annotations

import os
import sys

from local import leftovers
from local.settings import LocalSettings


def main() -> None:
    leftovers.end_service(LocalSettings.load(), os.environ["SUPERVISOR_PROCESS_NAME"])
    os.execv(sys.executable, [sys.executable, "-m", "mlflow", "server", *sys.argv[1:]])  # noqa: S606 - no shell


if __name__ == "__main__":
    main()
