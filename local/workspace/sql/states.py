"""States of failed statements."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from databricks.sdk.service.sql import ServiceErrorCode

if TYPE_CHECKING:
    from local.workspace.core.store import Document


_CODES = {code.value for code in ServiceErrorCode}


def failed(code: str, message: str) -> Document:
    """Returns the status of a statement that failed with an error of the API.

    Statements have few codes; what else is refused is a BAD_REQUEST, whose message has condition and SQLSTATE.
    """
    status: Document = {
        "state": "FAILED",
        "error": {"error_code": code if code in _CODES else "BAD_REQUEST", "message": message},
    }
    if state := re.search(r"SQLSTATE: (\w{5})", message):
        status["sql_state"] = state[1]
    return status


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
