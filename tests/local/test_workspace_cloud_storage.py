"""Credentials, external locations and what lies in them: catalogs' roots and external volumes."""

from __future__ import annotations

import http.server
import io
import threading
from typing import TYPE_CHECKING, Any

import pytest
from databricks.sdk.errors import BadRequest, NotFound, PermissionDenied
from databricks.sdk.service import catalog
from databricks.sdk.service.catalog import AwsIamRole, AwsIamRoleRequest, PermissionsChange, Privilege, VolumeType

from local.spark import cloud_files
from local.workspace.core.context import ACCOUNT_ID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from databricks.sdk import WorkspaceClient

    from tests.local.conftest import LocalWorkspace

ROLE = "arn:aws:iam::123456789012:role/storage"


@pytest.fixture
def client(workspace: LocalWorkspace) -> Iterator[WorkspaceClient]:
    """A client of a workspace that has the storage credential `storage` and the external location `raw`."""
    client = workspace.client()
    client.storage_credentials.create("storage", aws_iam_role=AwsIamRoleRequest(ROLE), comment="buckets")
    client.external_locations.create("raw", "s3://raw/", "storage", skip_validation=True)
    yield client
    for location in client.external_locations.list():
        client.external_locations.delete(str(location.name), force=True)
    for credential in client.credentials.list_credentials():
        client.credentials.delete_credential(str(credential.name), force=True)


def refusal(error: type[Exception], call: Any, *arguments: Any, **more: Any) -> str:
    """Error code and text of a refused call."""
    with pytest.raises(error) as raised:
        call(*arguments, **more)
    return f"{getattr(raised.value, 'error_code', '')}: {raised.value}"


@pytest.mark.shows("unity catalog: storage and service credentials", client="databricks-sdk")
def test_a_storage_credential_is_among_the_credentials(client: WorkspaceClient) -> None:
    found = client.storage_credentials.get("STORAGE")
    assert found.aws_iam_role is not None
    assert (found.aws_iam_role.role_arn, found.comment, found.read_only) == (ROLE, "buckets", False)
    assert found.aws_iam_role.external_id == ACCOUNT_ID
    assert str(found.aws_iam_role.unity_catalog_iam_arn).endswith("role/unity-catalog-prod-UCMasterRole-14S5ZJVKOTYTL")
    client.credentials.create_credential(
        "kafka", purpose=catalog.CredentialPurpose.SERVICE, aws_iam_role=AwsIamRole(role_arn=ROLE)
    )
    purposes = {each.name: each.purpose for each in client.credentials.list_credentials()}
    assert purposes == {"storage": catalog.CredentialPurpose.STORAGE, "kafka": catalog.CredentialPurpose.SERVICE}
    assert [each.name for each in client.storage_credentials.list()] == ["storage"]
    assert "STORAGE_CREDENTIAL_DOES_NOT_EXIST" in refusal(NotFound, client.storage_credentials.get, "kafka")
    assert "is not part" in refusal(
        Exception,
        client.storage_credentials.create,
        "azure",
        azure_managed_identity=catalog.AzureManagedIdentityRequest("connector"),
    )
    wrong = AwsIamRoleRequest("storage")
    assert "role_arn is 'storage'" in refusal(BadRequest, client.storage_credentials.create, "bad", aws_iam_role=wrong)


def test_a_credential_in_use_stays_unless_forced(client: WorkspaceClient) -> None:
    said = refusal(BadRequest, client.storage_credentials.delete, "storage")
    assert "INVALID_STATE" in said
    assert "has 1 dependent external location(s), so it cannot be deleted without force: raw" in said
    other = AwsIamRoleRequest(f"{ROLE}-2")
    assert "its role cannot change" in refusal(
        BadRequest, client.storage_credentials.update, "storage", aws_iam_role=other
    )
    assert client.storage_credentials.update("storage", comment="mine").comment == "mine"
    client.storage_credentials.update("storage", aws_iam_role=other, force=True)
    client.storage_credentials.delete("storage", force=True)


@pytest.mark.shows("unity catalog: external locations do not overlap", client="databricks-sdk")
@pytest.mark.parametrize("url", ["s3://raw", "s3://raw/support/2026"])
def test_external_locations_do_not_overlap(client: WorkspaceClient, url: str) -> None:
    said = refusal(BadRequest, client.external_locations.create, "other", url, "storage", skip_validation=True)
    assert f"LOCATION_OVERLAP: Input path url '{url}' overlaps with other external locations" in said
    client.external_locations.create("beside", "s3://raw-2", "storage", skip_validation=True)


@pytest.mark.parametrize("url", ["raw", "s3://", "s3://raw//a", "s3://raw/../a", "https://raw/a", "s3://Raw/a"])
def test_a_location_has_a_url_of_s3(client: WorkspaceClient, url: str) -> None:
    said = refusal(BadRequest, client.external_locations.create, "other", url, "storage", skip_validation=True)
    assert f"url is '{url}': write s3://<bucket>/<path>" in said


def test_file_events_are_kept_as_the_api_says(client: WorkspaceClient) -> None:
    managed = catalog.FileEventQueue(managed_sqs=catalog.AwsSqsQueue())
    made = client.external_locations.update("raw", enable_file_events=True, file_event_queue=managed)
    assert made.effective_enable_file_events
    assert made.file_event_queue is not None
    assert made.file_event_queue.managed_sqs is not None
    assert str(made.file_event_queue.managed_sqs.managed_resource_id).startswith("csms-")
    provided = catalog.FileEventQueue(provided_sqs=catalog.AwsSqsQueue())
    assert "provided_sqs.queue_url" in refusal(
        BadRequest, client.external_locations.update, "raw", enable_file_events=True, file_event_queue=provided
    )
    assert "only with enable_file_events" in refusal(
        BadRequest, client.external_locations.update, "raw", file_event_queue=managed
    )
    foreign = catalog.FileEventQueue(managed_pubsub=catalog.GcpPubsub())
    assert "managed_sqs or provided_sqs" in refusal(
        BadRequest, client.external_locations.update, "raw", enable_file_events=True, file_event_queue=foreign
    )


@pytest.mark.shows("unity catalog: grants and bindings of credentials and locations", client="databricks-sdk")
def test_locations_and_credentials_have_grants_and_bindings(client: WorkspaceClient) -> None:
    for kind, name, privilege in (
        ("external_location", "raw", catalog.Privilege.READ_FILES),
        ("storage_credential", "storage", catalog.Privilege.CREATE_EXTERNAL_LOCATION),
    ):
        change = catalog.PermissionsChange(principal="users", add=[privilege])
        client.grants.update(kind, name, changes=[change])
        (held,) = client.grants.get(kind, name).privilege_assignments or []
        assert held.privileges == [privilege]
        workspace_id = client.metastores.current().workspace_id
        bound = catalog.WorkspaceBinding(workspace_id=workspace_id)
        client.workspace_bindings.update_bindings(kind, name, add=[bound])
        assert [each.workspace_id for each in client.workspace_bindings.get_bindings(kind, name)] == [workspace_id]
    wrong = catalog.PermissionsChange(principal="users", add=[catalog.Privilege.SELECT])
    said = refusal(BadRequest, client.grants.update, "external_location", "raw", changes=[wrong])
    assert "Privilege SELECT is not applicable to a external_location" in said
    assert "securable type 'schema'" in refusal(
        BadRequest, lambda: list(client.workspace_bindings.get_bindings("schema", "a.b"))
    )


class _Buckets(http.server.BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        self.send_response(200 if self.path == "/there" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Tests have no use for a log of requests."""


def test_a_location_needs_a_bucket_that_aws_has(workspace: LocalWorkspace, client: WorkspaceClient) -> None:
    with workspace.http() as plain:  # the SDK would try again for minutes
        body = {"name": "far", "url": "s3://there/far", "credential_name": "storage"}
        answer = plain.post("/api/2.1/unity-catalog/external-locations", json=body)
    assert answer.status_code == 503
    assert answer.json()["message"].startswith(f"AWS at {workspace.settings.aws_url} does not answer")
    address = ("127.0.0.1", workspace.settings.aws_port)
    with http.server.ThreadingHTTPServer(address, _Buckets) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        client.external_locations.create("far", "s3://there/far", "storage")
        said = refusal(BadRequest, client.external_locations.create, "away", "s3://away", "storage")
        assert "The specified bucket does not exist: away" in said
        server.shutdown()


@pytest.mark.shows(
    "unity catalog: a catalog needs a storage root where the metastore has none", client="databricks-sdk"
)
def test_a_catalog_needs_a_root_in_a_location_that_its_maker_may_use(
    workspace: LocalWorkspace, client: WorkspaceClient
) -> None:
    said = refusal(BadRequest, client.catalogs.create, "rootless")
    assert said.startswith("INVALID_STATE: Metastore storage root URL does not exist.")
    said = refusal(NotFound, client.catalogs.create, "lost", storage_root="s3://nowhere/managed")
    assert "No parent external location was found for path 's3://nowhere/managed'" in said
    client.external_locations.update("raw", read_only=True)
    said = refusal(BadRequest, client.catalogs.create, "closed", storage_root="s3://raw/managed")
    assert "External Location 'raw' is read-only" in said
    client.external_locations.update("raw", read_only=False)
    person = client.users.create(user_name="maker@churn.local")
    other = workspace.client(workspace.token_of("maker@churn.local"))
    metastore = str(client.metastores.summary().metastore_id)
    make = [PermissionsChange(add=[Privilege.CREATE_CATALOG], principal="maker@churn.local")]
    client.grants.update("metastore", metastore, changes=make)
    said = refusal(PermissionDenied, other.catalogs.create, "others", storage_root="s3://raw/managed")
    assert "User does not have CREATE MANAGED STORAGE on External Location 'raw'." in said
    unmake = [PermissionsChange(remove=[Privilege.CREATE_CATALOG], principal="maker@churn.local")]
    client.grants.update("metastore", metastore, changes=unmake)
    client.users.delete(str(person.id))
    assert client.metastores.summary().storage_root is None


@pytest.mark.shows("unity catalog: external volumes", client="databricks-sdk")
def test_an_external_volume_s_files_outlive_it(lakehouse: LocalWorkspace, monkeypatch: pytest.MonkeyPatch) -> None:
    client = lakehouse.client()
    lakehouse.catalog("landed")
    client.schemas.create("landing", "landed")
    url = f"{lakehouse.storage('landing')}/support"
    made = client.volumes.create("landed", "landing", "support", VolumeType.EXTERNAL, storage_location=f"{url}/")
    assert made.storage_location == url
    path = "/Volumes/landed/landing/support/2026-01-01/a.csv"
    client.files.upload(path, io.BytesIO(b"a"))
    content = lakehouse.settings.s3 / "landing" / "support" / "2026-01-01" / "a.csv"
    assert content.read_bytes() == (lakehouse.settings.volumes / path.removeprefix("/Volumes/")).read_bytes() == b"a"
    monkeypatch.setenv("PLATFORM_HOME", str(lakehouse.settings.home))
    stream = {"path": "/Volumes/landed/landing/support", "cloudFiles.format": "csv"}
    stream["cloudFiles.schemaEvolutionMode"] = "none"
    assert cloud_files.list_files(cloud_files.Settings.of(stream)) == [path], "Auto Loader sees it"

    volume = client.volumes.create
    again = refusal(BadRequest, volume, "landed", "landing", "two", VolumeType.EXTERNAL, storage_location=f"{url}/a")
    assert "LOCATION_OVERLAP" in again
    inside = str(client.catalogs.get("landed").storage_location)
    assert "LOCATION_OVERLAP" in refusal(
        BadRequest, volume, "landed", "landing", "in", VolumeType.EXTERNAL, storage_location=f"{inside}/x"
    )
    assert "missing field storage_location" in refusal(
        BadRequest, volume, "landed", "landing", "no", VolumeType.EXTERNAL
    )
    said = refusal(BadRequest, client.external_locations.delete, "landing")
    assert "has 1 dependent(s), so it cannot be deleted without force: landed.landing.support" in said

    client.external_locations.update("landing", read_only=True)
    for change in (client.files.delete, client.files.create_directory):
        assert "External Location 'landing' is read-only" in refusal(PermissionDenied, change, path)
    assert client.files.download(path).contents.read() == b"a"
    client.external_locations.update("landing", read_only=False)
    client.catalogs.delete("landed", force=True)
    assert content.read_bytes() == b"a"
    client.external_locations.delete("landing")
    client.storage_credentials.delete("landing")
