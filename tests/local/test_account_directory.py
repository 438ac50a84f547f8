"""The account's directory, which keeps the service principals that a workspace lets go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from databricks.sdk import AccountClient
from databricks.sdk.errors import NotFound

from local.workspace.core.context import ACCOUNT_ID

if TYPE_CHECKING:
    from tests.local.conftest import LocalWorkspace


@pytest.fixture
def account(workspace: LocalWorkspace) -> AccountClient:
    """The official client of the account."""
    return AccountClient(
        host=workspace.settings.workspace_url, account_id=ACCOUNT_ID, token=workspace.token, auth_type="pat"
    )


@pytest.mark.shows("account: it keeps a service principal that a workspace lets go", client="databricks-sdk")
def test_the_account_keeps_whom_a_workspace_lets_go(workspace: LocalWorkspace, account: AccountClient) -> None:
    client, principals = workspace.client(), account.service_principals_v2
    made = client.service_principals.create(display_name="churn-directory-runner")
    client.service_principals.delete(made.id or "")
    with pytest.raises(NotFound):
        client.service_principals.get(made.id or "")
    assert list(client.service_principals.list(filter='displayName eq "churn-directory-runner"')) == []
    (kept,) = principals.list(filter='displayName eq "churn-directory-runner"')
    assert (kept.id, kept.application_id) == (made.id, made.application_id)
    assert principals.get(made.id or "").display_name == "churn-directory-runner"

    # it comes back under its application id, as the same principal
    back = client.service_principals.create(
        application_id=made.application_id or "", display_name="churn-directory-runner"
    )
    assert back.id == made.id
    assert len(list(principals.list(filter='displayName eq "churn-directory-runner"'))) == 1
    client.service_principals.delete(made.id or "")
    principals.delete(made.id or "")
    with pytest.raises(NotFound):
        principals.get(made.id or "")
    assert list(principals.list(filter='displayName eq "churn-directory-runner"')) == []


def test_whom_the_account_deletes_the_workspace_loses(workspace: LocalWorkspace, account: AccountClient) -> None:
    client = workspace.client()
    made = client.service_principals.create(display_name="churn-directory-server")
    account.service_principals_v2.delete(made.id or "")
    with pytest.raises(NotFound):
        client.service_principals.get(made.id or "")
    assert list(account.service_principals_v2.list(filter='displayName eq "churn-directory-server"')) == []
