"""Requests to erase a customer: each is a secret until it is done, so that no run's parameters name anybody."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from churn.core.blanks import stripped
from churn.core.errors import FinalError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from databricks.sdk import WorkspaceClient

PREFIX = "request-"  # of the names of secrets that are requests; the scope has the key of the hash too


class WrongRequestError(FinalError):
    """A request is not what it should be; the text has its name and the remedy, and nothing of what it holds."""


@dataclass(frozen=True)
class Request:
    """A request.

    Attributes:
        name: Its name in the scope.
        customer: Id of the customer, without blanks around it.
        requested_by: Who asked for it.
    """

    name: str
    customer: str
    requested_by: str


def pending(client: WorkspaceClient, scope: str) -> Iterator[Request]:
    """The requests that are not done, by name.

    Raises:
        WrongRequestError: One is no JSON object with `customer` and `requested_by`.
    """
    for name in sorted(secret.key or "" for secret in client.secrets.list_secrets(scope)):
        if name.startswith(PREFIX):
            yield _request(name, base64.b64decode(client.secrets.get_secret(scope, name).value or ""), scope)


def done(client: WorkspaceClient, scope: str, request: Request) -> None:
    """Forgets a request, and with it the last place that has the id in clear."""
    client.secrets.delete_secret(scope, request.name)


def _request(name: str, value: bytes, scope: str) -> Request:
    try:
        fields = json.loads(value)
        customer, requested_by = stripped(str(fields["customer"])), str(fields["requested_by"])
    except (ValueError, KeyError, TypeError):
        customer = ""
    if not customer:
        raise WrongRequestError(
            f"the request {name} names no customer: delete the secret {scope}/{name}, and ask by `platform erase`"
        )
    return Request(name, customer, requested_by)
