"""Serves one version of a registered model, as `mlflow models serve --env-manager local` does, in one process.

`launch_model.py NAME VERSION PORT`; where MLflow is, stands in MLFLOW_TRACKING_URI.
"""

from __future__ import annotations

import sys

import mlflow.pyfunc
import uvicorn
from mlflow.pyfunc import scoring_server


def main() -> None:
    name, version, port = sys.argv[1:]
    model = mlflow.pyfunc.load_model(f"models:/{name}/{version}")
    uvicorn.run(scoring_server.init(model), host="127.0.0.1", port=int(port), log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
