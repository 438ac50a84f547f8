"""The script that serves one version of a registered model: `launch_model.py NAME VERSION PORT`.

It serves as `mlflow models serve --env-manager local` does, in one process. MLFLOW_TRACKING_URI has MLflow's address.
"""

from __future__ import annotations

import sys

import mlflow.pyfunc
import uvicorn
from mlflow.pyfunc import scoring_server


def main() -> None:
    """Serves the model until the process is stopped."""
    name, version, port = sys.argv[1:]
    model = mlflow.pyfunc.load_model(f"models:/{name}/{version}")
    uvicorn.run(scoring_server.init(model), host="127.0.0.1", port=int(port), log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
