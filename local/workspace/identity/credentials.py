"""OAuth secrets of service principals, and the tokens that they are exchanged for (RFC 6749, client credentials)."""

import base64
import binascii
import hashlib
import secrets
import uuid
from datetime import UTC, datetime, timedelta
from typing import Annotated

from databricks.sdk.service import oauth2
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from local.workspace.core.clock import now_ms, timestamp
from local.workspace.core.context import Caller, Workspace, WorkspaceDep
from local.workspace.core.documents import TOKENS, TokenDocument
from local.workspace.core.errors import ApiError, bad_request, not_built, not_found, permission_denied
from local.workspace.core.requests import body
from local.workspace.core.store import Document
from local.workspace.identity import rule_sets
from local.workspace.identity.documents import SECRETS, SecretDocument
from local.workspace.identity.kinds import SERVICE_PRINCIPALS

router = APIRouter()
discovery = APIRouter()  # answered without a token
_SECRETS = "/api/2.0/accounts/servicePrincipals/{identifier}/credentials/secrets"
_MOST = 5  # secrets of a service principal
_LIFETIME = timedelta(days=730)
_TOKEN_SECONDS = 3600


@router.post(_SECRETS)
def create(
    identifier: str,
    request: Annotated[Document, body(oauth2.ServicePrincipalSecretsProxyAPI.create)],
    workspace: WorkspaceDep,
    caller: Caller,
) -> Document:
    """Makes a secret, which this answer alone shows."""
    _check_manager(workspace, caller, identifier)
    if request.get("scopes"):
        raise not_built("scopes of a secret")
    lifetime = request.get("lifetime")
    if lifetime and not (lifetime.endswith("s") and lifetime[:-1].isdecimal()):
        raise bad_request(f"lifetime is {lifetime!r}; it must be seconds, such as 3600s")
    if len(workspace.store.items(SECRETS, f"{identifier}/")) >= _MOST:
        raise bad_request(f"service principal {identifier} has {_MOST} secrets already: delete one", "QUOTA_EXCEEDED")
    secret = "dose" + secrets.token_hex(16)
    now = datetime.now(UTC)
    ends = now + (timedelta(seconds=int(lifetime[:-1])) if lifetime else _LIFETIME)
    document: SecretDocument = {
        "id": str(uuid.uuid4()),
        "secret_hash": hashlib.sha256(secret.encode()).hexdigest(),
        "create_time": timestamp(now),
        "update_time": timestamp(now),
        "expire_time": timestamp(ends),
        "status": "ACTIVE",
    }
    workspace.store.put(SECRETS, f"{identifier}/{document['id']}", document)
    return {**document, "secret": secret}


@router.get(_SECRETS)
def list_all(identifier: str, workspace: WorkspaceDep, caller: Caller) -> Document:
    """Returns the secrets of a service principal, without their values."""
    _check_manager(workspace, caller, identifier)
    return {"secrets": [secret for _, secret in workspace.store.items(SECRETS, f"{identifier}/")]}


@router.delete(f"{_SECRETS}/{{secret_id}}")
def delete(identifier: str, secret_id: str, workspace: WorkspaceDep, caller: Caller) -> Document:
    """Deletes a secret; tokens that were got by it stay valid until they expire."""
    _check_manager(workspace, caller, identifier)
    if not workspace.store.delete(SECRETS, f"{identifier}/{secret_id}"):
        raise not_found(f"service principal {identifier} has no secret {secret_id}")
    return {}


@discovery.get("/oidc/.well-known/oauth-authorization-server")
def endpoints(request: Request) -> dict[str, str]:
    """Answers where a token can be got."""
    root = f"{request.base_url}oidc"
    return {"issuer": root, "authorization_endpoint": f"{root}/v1/authorize", "token_endpoint": f"{root}/v1/token"}


@discovery.post("/oidc/v1/token")
async def token(request: Request, workspace: WorkspaceDep) -> JSONResponse:
    """Exchanges a secret for a token, in the form of RFC 6749."""
    async with request.form() as form:
        if form.get("grant_type") != "client_credentials":
            return _refused(400, "unsupported_grant_type", "grant_type must be client_credentials")
        client_id, secret = _credentials(request) or (form.get("client_id"), form.get("client_secret"))
    principal = SERVICE_PRINCIPALS.seen(workspace, str(client_id))
    if principal is None or not _is_valid(workspace, principal[0], str(secret)):
        return _refused(401, "invalid_client", "Client authentication failed")
    access_token = secrets.token_urlsafe(32)
    expires = now_ms() + _TOKEN_SECONDS * 1000
    workspace.store.put(TOKENS, access_token, TokenDocument(principal=str(client_id), expires=expires))
    return JSONResponse(
        {"access_token": access_token, "token_type": "Bearer", "expires_in": _TOKEN_SECONDS, "scope": "all-apis"}
    )


def forget(workspace: Workspace, identifier: str) -> None:
    """Drops the secrets of a principal that was removed from the directory."""
    for key, _ in workspace.store.items(SECRETS, f"{identifier}/"):
        workspace.store.delete(SECRETS, key)


def _check_manager(workspace: Workspace, caller: Caller, identifier: str) -> None:
    """Refuses callers who may not manage a service principal; raises ApiError where there is none."""
    document = workspace.find(
        SERVICE_PRINCIPALS.documents, identifier, f"ServicePrincipal with id {identifier} not found."
    )
    if not rule_sets.manages(workspace, caller, document["applicationId"]):
        raise permission_denied(f"{caller.name} is not a manager of service principal {identifier}")


def _credentials(request: Request) -> tuple[str, str] | None:
    """Client id and secret in the header of a request."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ApiError(400, "invalid_request", f"the header Authorization is not base64: {error}") from error
    return client_id, secret


def _is_valid(workspace: Workspace, identifier: str, secret: str) -> bool:
    digest, now = hashlib.sha256(secret.encode()).hexdigest(), timestamp(datetime.now(UTC))
    return any(
        document["secret_hash"] == digest and document["expire_time"] > now
        for _, document in workspace.store.items(SECRETS, f"{identifier}/")
    )


def _refused(status: int, error: str, description: str) -> JSONResponse:
    return JSONResponse({"error": error, "error_description": description}, status)
