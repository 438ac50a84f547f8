"""Runs a wheel's entry point, as a job cluster does: `launch_task.py TASK ARGUMENTS...`, TASK being a JSON object.

TASK has `package_name`, `entry_point` and `spark_conf`. A failure ends with code 1, the traceback on standard error,
and `error.json` (type, message, trace) in the working folder.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, cast


def main() -> int:
    """Returns the exit code."""
    signal.signal(signal.SIGTERM, _end)
    task = json.loads(sys.argv[1])
    sys.argv = [task["entry_point"], *sys.argv[2:]]
    try:
        if task["spark_conf"]:
            open_session(task["spark_conf"])
        entry_point(task["package_name"], task["entry_point"])()
    except Exception as error:  # noqa: BLE001 (whatever a task raises is its outcome, and is reported)
        trace = traceback.format_exc()
        sys.stderr.write(trace)
        record = {"type": type(error).__name__, "message": str(error), "trace": trace}
        Path("error.json").write_text(json.dumps(record), encoding="utf-8")
        return 1
    finally:
        close_session()
    return 0


def entry_point(package: str, name: str) -> Callable[[], Any]:
    """Finds what to call: the entry point in the wheel's metadata, else a function of the package itself.

    Raises:
        LookupError: The wheel has neither.
    """
    try:
        points = [point for point in importlib.metadata.distribution(package).entry_points if point.name == name]
    except importlib.metadata.PackageNotFoundError as error:
        raise LookupError(f"package {package!r} is in no library of the task") from error
    if points:
        found = min(points, key=lambda point: point.group != "packages").load()
    else:
        found = getattr(importlib.import_module(package.replace("-", "_")), name, None)
    if found is None:
        raise LookupError(f"package {package!r} has neither an entry point nor a function {name!r}")
    return cast("Callable[[], Any]", found)


def open_session(settings: Mapping[str, str]) -> None:
    """Opens the Spark session that `getOrCreate()` will find, with a cluster's settings."""
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    spark = SparkSession.builder.getOrCreate()
    for name, value in settings.items():
        try:
            spark.conf.set(name, value)
        except PySparkException as error:
            if error.getCondition() not in ("CANNOT_MODIFY_CONFIG", "CANNOT_MODIFY_STATIC_CONFIG"):
                raise
            sys.stderr.write(f"{name} is a setting of the whole Spark server and stays as it is\n")


def close_session() -> None:
    """Ends the task's session, and with it whatever it still runs on the Spark server."""
    if "pyspark.sql" in sys.modules:
        spark = sys.modules["pyspark.sql"].SparkSession.getActiveSession()
        if spark is not None:
            spark.stop()


def _end(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # a thread that a task left must not keep it from ending
