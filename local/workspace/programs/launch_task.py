"""The script that runs a wheel's entry point, as a job cluster does: `launch_task.py TASK ARGUMENTS...`.

TASK is a JSON object with `package_name`, `entry_point`, `spark_conf` and `serverless`. An exception, or an exit with
text, ends the script with code 1, writes message and trace to standard error, and both with the type to `error.json` in
the working folder. An exit with a number ends it with that code.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import json
import os
import signal
import sys
import traceback
from importlib.abc import MetaPathFinder
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
        if task["serverless"]:
            sys.meta_path.insert(0, EndlessTriggers())
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


class EndlessTriggers(MetaPathFinder):
    """Refuses the triggers of streams that serverless compute refuses, once the task imports the module that has them.

    https://docs.databricks.com/aws/en/compute/serverless/limitations
    """

    MODULE = "pyspark.sql.connect.streaming.readwriter"

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:  # noqa: ARG002 (Python's names)
        """Finds the module as Python does, and changes its class when it has been read."""
        if fullname != self.MODULE:
            return None
        sys.meta_path.remove(self)
        spec: Any = importlib.util.find_spec(fullname)
        run = spec.loader.exec_module

        def exec_module(module: Any) -> None:
            run(module)
            self._change(module.DataStreamWriter)

        spec.loader.exec_module = exec_module
        return spec

    def _change(self, writer: Any) -> None:
        start = writer._start_internal  # noqa: SLF001 (all ways to start a stream lead here)

        def start_ended(stream: Any, *arguments: Any, **named: Any) -> Any:
            if not (stream._write_proto.available_now or stream._write_proto.once):  # noqa: SLF001 (as above)
                from pyspark.errors import AnalysisException

                text = "[INFINITE_STREAMING_TRIGGER_NOT_SUPPORTED] Trigger type ProcessingTime is not supported for "
                raise AnalysisException(
                    f"{text}this cluster type. Use a different trigger type e.g. AvailableNow, Once."
                )
            return start(stream, *arguments, **named)

        writer._start_internal = start_ended  # noqa: SLF001 (as above)


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
