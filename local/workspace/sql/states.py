"""States of failed statements."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local.workspace.core.store import Document


def failed(code: str, message: str) -> Document:
    """Returns the status of a statement that failed with an error of the API."""
    return {"state": "FAILED", "error": {"error_code": code, "message": message}}


def failed_by(error: Exception) -> Document:
    """Returns the status of a statement that Spark refused or could not run."""
    from pyspark.errors import PySparkException

    message = str(error).split("\n\nJVM stacktrace")[0]
    if not isinstance(error, PySparkException):
        return failed("INTERNAL_ERROR", f"{type(error).__name__}: {message}")
    status = failed("BAD_REQUEST", message)
    if error.getSqlState():
        status["sql_state"] = error.getSqlState()
    return status
