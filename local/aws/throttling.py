"""Refusals for too many requests, as each protocol of AWS tells them."""

from __future__ import annotations

import json
import re
from typing import Any

MESSAGE = "Rate exceeded"
_SERVICE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/")
_TEXT = f"<Message>{MESSAGE}</Message>"
_EC2 = f"<Response><Errors><Error><Code>RequestLimitExceeded</Code>{_TEXT}</Error></Errors></Response>"
_QUERY = f"<ErrorResponse><Error><Code>Throttling</Code>{_TEXT}</Error></ErrorResponse>"
_S3 = f"<Error><Code>SlowDown</Code>{_TEXT}</Error>"


def throttled(environ: dict[str, Any]) -> tuple[str, list[tuple[str, str]], bytes]:
    """Refuses a request: clients of AWS know by the code of the error, not by the status, that they may try again.

    Args:
        environ: The request, as WSGI has it.

    Returns:
        Status, headers and body of the answer.
    """
    signed = _SERVICE.search(environ.get("HTTP_AUTHORIZATION", ""))
    service, sent_as = signed[1] if signed else "", environ.get("CONTENT_TYPE", "")
    headers: dict[str, str] = {}
    if "x-www-form-urlencoded" in sent_as:
        status, text = ("503 Service Unavailable", _EC2) if service == "ec2" else ("400 Bad Request", _QUERY)
    elif service == "s3":
        status, text = "503 Slow Down", _S3
    elif "x-amz-json" in sent_as:
        status, text = "400 Bad Request", json.dumps({"__type": "ThrottlingException", "message": MESSAGE})
    else:
        headers["x-amzn-errortype"] = "TooManyRequestsException"
        status, text = "429 Too Many Requests", json.dumps({"message": MESSAGE})
    body = text.encode()
    return status, [*headers.items(), ("Content-Length", str(len(body)))], body
