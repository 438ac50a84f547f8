"""OAuth secrets of service principals, through the official client, and principals that are not seen at once."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.core import ApiClient
from databricks.sdk.errors import BadRequest, NotFound, PermissionDenied
from databricks.sdk.service import iam

from infra.errors import PrincipalNotSeenError
from infra.once import seen_principal
from infra.once.seen_principal import SeenPrincipalProvider
from local.settings import LocalSettings
from local.workspace.core.context import ACCOUNT_ID
from tests.local.conftest import LocalWorkspace
from tests.ports import free_base_port

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def server(workspace: LocalWorkspace) -> Iterator[iam.ServicePrincipal]:
    client = workspace.client()
    made = client.service_principals.create(display_name="server")
    yield made
    client.service_principals.delete(made.id or "")


def signed_in(workspace: LocalWorkspace, application_id: str | None, secret: str | None) -> WorkspaceClient:
    return WorkspaceClient(
        host=workspace.settings.workspace_url, client_id=application_id, client_secret=secret, auth_type="oauth-m2m"
    )


@pytest.mark.shows("identity: OAuth secrets of service principals (client credentials)", client="databricks-sdk")
def test_a_service_principal_signs_in_with_its_secret(workspace: LocalWorkspace, server: iam.ServicePrincipal) -> None:
    secrets = workspace.client().service_principal_secrets_proxy
    made = secrets.create(server.id or "")
    assert signed_in(workspace, server.application_id, made.secret).current_user.me().user_name == server.application_id
    (listed,) = secrets.list(server.id or "")
    assert (listed.id, listed.secret_hash) == (made.id, made.secret_hash)
    assert "secret" not in listed.as_dict(), "the value is shown once"
    with pytest.raises(ValueError, match="invalid_client"):
        signed_in(workspace, server.application_id, "wrong").current_user.me()
    secrets.delete(server.id or "", made.id or "")
    with pytest.raises(ValueError, match="invalid_client"):
        signed_in(workspace, server.application_id, made.secret).current_user.me()
    with pytest.raises(NotFound):
        secrets.delete(server.id or "", made.id or "")


@pytest.mark.shows("identity: OAuth secrets are made by managers, five at most", client="databricks-sdk")
def test_secrets_are_made_by_managers_and_are_few(workspace: LocalWorkspace, server: iam.ServicePrincipal) -> None:
    itself = workspace.client(workspace.token_of(server.application_id or ""))
    with pytest.raises(PermissionDenied, match="not a manager"):
        itself.service_principal_secrets_proxy.create(server.id or "")
    secrets = workspace.client().service_principal_secrets_proxy
    with pytest.raises(BadRequest, match="lifetime"):
        secrets.create(server.id or "", lifetime="a year")
    for _ in range(5):
        secrets.create(server.id or "")
    with pytest.raises(BadRequest, match="5 secrets already"):
        secrets.create(server.id or "")


def test_a_wrong_request_for_a_token_is_refused_as_the_standard_says(workspace: LocalWorkspace) -> None:
    with workspace.http() as http:
        http.headers.pop("Authorization")
        wrong = http.post("/oidc/v1/token", data={"grant_type": "password"})
        assert (wrong.status_code, wrong.json()["error"]) == (400, "unsupported_grant_type")
        header = {"Authorization": f"Basic {base64.b64encode(b'nobody:wrong').decode()}"}
        refused = http.post("/oidc/v1/token", data={"grant_type": "client_credentials"}, headers=header)
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")


@pytest.fixture
def late(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalWorkspace]:
    """A workspace that sees new principals some seconds later."""
    monkeypatch.setenv("PLATFORM_PRINCIPAL_DELAY", "3")
    cloud = LocalWorkspace(LocalSettings(tmp_path_factory.mktemp("late"), free_base_port()))
    try:
        cloud.start()
        yield cloud
    finally:
        cloud.stop()


@pytest.mark.shows("identity: new principals are seen late by the other services, on request", client="databricks-sdk")
def test_a_new_principal_is_waited_for_until_it_is_seen(late: LocalWorkspace, monkeypatch: pytest.MonkeyPatch) -> None:
    client = late.client()
    made = client.service_principals.create(display_name="server")
    assert client.service_principals.get(made.id or "").application_id == made.application_id
    assert not list(client.service_principals.list(filter=f'applicationId eq "{made.application_id}"'))
    name = f"accounts/{ACCOUNT_ID}/servicePrincipals/{made.application_id}/ruleSets/default"
    with pytest.raises(NotFound):
        client.account_access_control_proxy.get_rule_set(name, "")

    monkeypatch.setenv("DATABRICKS_TOKEN", late.token)
    monkeypatch.setattr(seen_principal, "POLL_SECONDS", 0.1)
    wanted = {
        "host": late.settings.workspace_url,
        "account_id": ACCOUNT_ID,
        "kind": "service principal",
        "names": [made.application_id],
        "timeout_minutes": 1,
    }
    assert SeenPrincipalProvider().create(wanted).outs == wanted
    assert client.account_access_control_proxy.get_rule_set(name, "").name == name


@pytest.mark.shows("identity: new groups are seen late by the other services, on request", client="databricks-sdk")
def test_new_groups_are_waited_for_until_they_are_seen(late: LocalWorkspace, monkeypatch: pytest.MonkeyPatch) -> None:
    client, name = late.client(), 'Children\'s "own" group'
    made = client.groups.create(display_name=name)
    entry = {"permission_assignments": [{"group_name": name, "permissions": ["USER"]}]}
    enter = ("POST", "/api/2.0/preview/permissionassignments")
    assert "does not exist" in str(client.api_client.do(*enter, body=entry))
    assert client.groups.get(made.id or "").display_name == name

    monkeypatch.setenv("DATABRICKS_TOKEN", late.token)
    monkeypatch.setattr(seen_principal, "POLL_SECONDS", 0.1)
    wanted = {"host": late.settings.workspace_url, "account_id": ACCOUNT_ID, "names": ["users", name]}
    soon = {"timeout_minutes": 0}
    for kind in ("group of the account", "group of the workspace"):
        SeenPrincipalProvider().create({**wanted, "kind": kind, "timeout_minutes": 1})
        assert "does not exist" not in str(client.api_client.do(*enter, body=entry))
    with monkeypatch.context() as patched:

        def refuse(*_: object, **__: object) -> None:
            raise PermissionDenied("not an administrator of the account")

        patched.setattr(seen_principal, "SIGHTINGS", 1)
        patched.setattr(ApiClient, "do", refuse)  # the entry of the group is tried then
        SeenPrincipalProvider().create({**wanted, "names": ["Nobody's"], "kind": "group of the account", **soon})
    with pytest.raises(PrincipalNotSeenError, match=r"group of the workspace Nobody's is not seen by .*; remedy: "):
        SeenPrincipalProvider().create({**wanted, "names": ["Nobody's"], "kind": kind, **soon})
