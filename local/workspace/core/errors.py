"""Errors in the form of Databricks' API: a status, an error code and a message."""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """An answer other than success.

    Attributes:
        status: HTTP status.
        error_code: Databricks' code, such as `RESOURCE_DOES_NOT_EXIST`; the SDKs map it to an exception class.
        message: The fault, with the received value and the remedy.
    """

    def __init__(self, status: int, error_code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error_code = error_code
        self.message = message

    def as_dict(self) -> dict[str, Any]:
        """Returns the body of the answer."""
        return {"error_code": self.error_code, "message": self.message}


def not_found(message: str, error_code: str = "RESOURCE_DOES_NOT_EXIST") -> ApiError:
    """Returns a 404."""
    return ApiError(404, error_code, message)


def bad_request(message: str, error_code: str = "INVALID_PARAMETER_VALUE") -> ApiError:
    """Returns a 400."""
    return ApiError(400, error_code, message)


def already_exists(message: str, error_code: str = "RESOURCE_ALREADY_EXISTS") -> ApiError:
    """Returns a 409."""
    return ApiError(409, error_code, message)


def not_built(what: str) -> ApiError:
    """Returns the answer to a request for a part of Databricks that the local workspace does not have."""
    return ApiError(501, "NOT_IMPLEMENTED", f"{what} is not part of the local workspace")


def permission_denied(message: str) -> ApiError:
    """Returns a 403."""
    return ApiError(403, "PERMISSION_DENIED", message)
