"""MLflow's tracking server as a service: `python -m local.mlflow_server`, with the options of `mlflow server`.

`mlflow server` listens in a child process, which keeps the port if its parent is killed. Every further start would then
end at once and be repeated for ever, so the child of an earlier server is ended first.
"""

from __future__ import annotations

import os
import sys

from local import leftovers
from local.settings import LocalSettings


def main() -> None:
    """Ends what an earlier server left, then becomes the server."""
    leftovers.end_service(LocalSettings.load(), os.environ["SUPERVISOR_PROCESS_NAME"])
    os.execv(sys.executable, [sys.executable, "-m", "mlflow", "server", *sys.argv[1:]])  # noqa: S606 (no shell)


if __name__ == "__main__":
    main()
