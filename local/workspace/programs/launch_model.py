"""The script that serves one version of a registered model: `launch_model.py FOLDER PORT`.

It serves as `mlflow models serve --env-manager local` does, in one process. The version's files are in the folder.
"""

from __future__ import annotations

import sys

import mlflow.pyfunc
import uvicorn
from mlflow.pyfunc import scoring_server


def main() -> None:
    """Serves the model until the process is stopped."""
    folder, port = sys.argv[1:]
    model = mlflow.pyfunc.load_model(folder)
    uvicorn.run(scoring_server.init(model), host="127.0.0.1", port=int(port), log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
