"""Passwords for PostgreSQL, which last an hour at most."""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from typing import Annotated

from databricks.sdk.service import postgres
from fastapi import APIRouter

from local.workspace.core.clock import now_ms, timestamp
from local.workspace.core.context import Caller, WorkspaceDep
from local.workspace.core.errors import bad_request, not_built
from local.workspace.core.requests import body
from local.workspace.core.store import Document
from local.workspace.lakebase import settings
from local.workspace.lakebase.documents import CREDENTIALS, CredentialDocument
from local.workspace.lakebase.operations import API, find
from local.workspace.lakebase.resources import live

router = APIRouter()


@router.post(f"{API}/credentials")
def generate(
    request: Annotated[Document, body(postgres.PostgresAPI.generate_database_credential)],
    workspace: WorkspaceDep,
    caller: Caller,
) -> Document:
    """Makes a password of the caller's own for one endpoint; whether it has a role there, PostgreSQL says."""
    if request.get("claims"):
        raise not_built("claims of a credential")
    now = datetime.now(UTC)
    if request.get("expire_time"):
        lasts = datetime.fromisoformat(request["expire_time"]) - now
        if "ttl" in request:
            raise bad_request("ttl and expire_time exclude each other")
        request["ttl"] = f"{round(lasts.total_seconds())}s"
    least, most = settings.CREDENTIAL_SECONDS
    lasts = timedelta(seconds=settings.seconds("ttl", request.get("ttl", f"{most}s"), (least, most)))
    endpoint = live(workspace, request["endpoint"]) if request["endpoint"].count("/") == 5 else None
    if endpoint is None:
        raise bad_request(f"endpoint is {request['endpoint']!r}; it must be projects/…/branches/…/endpoints/…")
    for key, old in workspace.store.items(CREDENTIALS):
        if old["expires"] < now_ms():
            workspace.store.delete(CREDENTIALS, key)
    token = secrets.token_urlsafe(48)
    project = find(workspace, "/".join(request["endpoint"].split("/")[:2]))
    document: CredentialDocument = {
        "principal": caller.name,
        "project": project["uid"],
        "expires": int((now + lasts).timestamp() * 1000),
    }
    workspace.store.put(CREDENTIALS, hashlib.sha256(token.encode()).hexdigest(), document)
    return {"token": token, "expire_time": timestamp(now + lasts)}
