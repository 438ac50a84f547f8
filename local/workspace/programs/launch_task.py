"""The script that runs a wheel's entry point, as a job cluster does: `launch_task.py TASK ARGUMENTS...`.

TASK is a JSON object with `package_name`, `entry_point` and `spark_conf`. An exception, or an exit with text, ends the
script with code 1, writes message and trace to standard error, and both with the type to `error.json` in the working
folder. An exit with a number ends it with that code.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType


def main() -> int:
    """Runs the task and returns the exit code."""
    signal.signal(signal.SIGTERM, _end)
    task = json.loads(sys.argv[1])
    sys.argv = [task["entry_point"], *sys.argv[2:]]
    try:
        if task["spark_conf"]:
            open_session(task["spark_conf"])
        entry_point(task["package_name"], task["entry_point"])()
    except SystemExit as error:
        if error.code is None or isinstance(error.code, int):
            return error.code or 0
        return _report(error)
    except Exception as error:  # noqa: BLE001 (whatever a task raises is its outcome, and is reported)
        return _report(error)
    finally:
        close_session()
    return 0


def _report(error: BaseException) -> int:
    """Writes an error to standard error and to `error.json`, the message first; returns the exit code."""
    name, message, trace = type(error).__name__, str(error), "".join(traceback.format_exception(error))
    sys.stderr.write(f"{name}: {message}\n\n{trace}")
    record = {"type": name, "message": message, "trace": trace}
    Path("error.json").write_text(json.dumps(record), encoding="utf-8")
    return 1


def entry_point(package: str, name: str) -> Callable[[], Any]:
    """Returns the function of an entry point: of the wheel's metadata, else of the package itself.

    Raises:
        LookupError: The wheel has no such entry point and no such function.
    """
    try:
        points = [point for point in importlib.metadata.distribution(package).entry_points if point.name == name]
    except importlib.metadata.PackageNotFoundError as error:
        raise LookupError(f"package {package!r} is in no library of the task") from error
    if points:
        function = min(points, key=lambda point: point.group != "packages").load()
    else:
        function = getattr(importlib.import_module(package.replace("-", "_")), name, None)
    if function is None:
        raise LookupError(f"package {package!r} has neither an entry point nor a function {name!r}")
    return cast("Callable[[], Any]", function)


def open_session(settings: Mapping[str, str]) -> None:
    """Opens the Spark session that `getOrCreate()` returns later, with a cluster's settings."""
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
    """Ends the task's session, and with it all that the task still runs on the Spark server."""
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
    os._exit(code)  # threads that the task left must not delay the end
