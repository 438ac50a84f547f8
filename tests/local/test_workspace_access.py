"""Who may make, change, give away and delete objects of Unity Catalog: each refusal, and what permits."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from databricks.sdk import AccountClient, WorkspaceClient
from databricks.sdk.errors import PermissionDenied
from databricks.sdk.service.catalog import (
    AwsIamRole,
    AwsIamRoleRequest,
    CredentialPurpose,
    PermissionsChange,
    Privilege,
    UpdateAccountsMetastore,
    VolumeType,
    WorkspaceBinding,
)
from databricks.sdk.service.iam import ComplexValue, Patch, PatchOp
from pyspark.sql.connect.session import SparkSession

from local.workspace.core.context import ACCOUNT_ID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.local.conftest import LocalWorkspace

ROOT = "s3://tests"
ROLE = AwsIamRoleRequest("arn:aws:iam::123456789012:role/access")
SERVICE = CredentialPurpose.SERVICE
Places = dict[str, str]  # name of an object by its kind


@dataclass(frozen=True)
class Other:
    """A service principal that owns nothing, and its client."""

    id: str
    name: str
    client: WorkspaceClient


@pytest.fixture(scope="module")
def client(lakehouse: LocalWorkspace) -> Iterator[WorkspaceClient]:
    """The client of an administrator of the workspace, who owns the catalog `access` with one object of each kind."""
    client = lakehouse.client()
    lakehouse.catalog("access")
    client.schemas.create("gold", "access")
    client.volumes.create("access", "gold", "files", VolumeType.MANAGED)
    client.registered_models.create(catalog_name="access", schema_name="gold", name="churn")
    yield client
    client.catalogs.delete("access", force=True)


@pytest.fixture
def other(lakehouse: LocalWorkspace, client: WorkspaceClient) -> Iterator[Other]:
    made = client.service_principals.create(display_name="other")
    name = made.application_id or ""
    yield Other(made.id or "", name, lakehouse.client(lakehouse.token_of(name)))
    client.service_principals.delete(made.id or "")


@contextmanager
def granted(client: WorkspaceClient, principal: str, **privileges: str) -> Iterator[None]:
    """Grants privileges for the length of a block: `catalog="USE_CATALOG"` on the object of that kind below."""
    places = {
        "metastore": client.metastores.summary().metastore_id or "",
        "catalog": "access",
        "schema": "access.gold",
        "volume": "access.gold.files",
        "function": "access.gold.churn",
        "external_location": "tests",
        "storage_credential": "tests",
    }
    for kind, names in privileges.items():
        wanted = [Privilege(name) for name in names.split()]
        client.grants.update(kind, places[kind], changes=[PermissionsChange(add=wanted, principal=principal)])
    try:
        yield
    finally:
        for kind, names in privileges.items():
            taken = [Privilege(name) for name in names.split()]
            client.grants.update(kind, places[kind], changes=[PermissionsChange(principal=principal, remove=taken)])


def refused(change: Callable[[], object], missing: str) -> None:
    with pytest.raises(PermissionDenied) as raised:
        change()
    assert f"User does not have {missing}." in str(raised.value)


IN_CATALOG, IN_SCHEMA = {"catalog": "USE_CATALOG"}, {"catalog": "USE_CATALOG", "schema": "USE_SCHEMA"}


@pytest.mark.shows("unity catalog: privileges CREATE on the metastore", client="databricks-sdk")
def test_what_lies_in_the_metastore_is_made_by_who_may(client: WorkspaceClient, other: Other) -> None:
    metastore, own = client.metastores.summary().metastore_id, other.client
    on_metastore = f"on Metastore '{metastore}'"

    def catalog() -> object:
        return own.catalogs.create("others", storage_root=ROOT)

    refused(catalog, f"CREATE CATALOG {on_metastore}")
    with granted(client, other.name, metastore="CREATE_CATALOG", external_location="CREATE_MANAGED_STORAGE"):
        catalog()
    assert client.catalogs.get("others").owner == other.name
    own.catalogs.delete("others", force=True)

    def storage() -> object:
        return own.storage_credentials.create("others", aws_iam_role=ROLE)

    refused(storage, f"CREATE STORAGE CREDENTIAL {on_metastore}")
    with granted(client, other.name, metastore="CREATE_STORAGE_CREDENTIAL"):
        storage()

    def service() -> object:
        return own.credentials.create_credential(
            "topics", aws_iam_role=AwsIamRole(role_arn="arn:aws:iam::123456789012:role/access"), purpose=SERVICE
        )

    refused(service, f"CREATE SERVICE CREDENTIAL {on_metastore}")
    with granted(client, other.name, metastore="CREATE_SERVICE_CREDENTIAL"):
        service()

    def location(credential: str = "others") -> object:
        return own.external_locations.create("others", "s3://others", credential, skip_validation=True)

    refused(location, f"CREATE EXTERNAL LOCATION {on_metastore}")
    with granted(client, other.name, metastore="CREATE_EXTERNAL_LOCATION"):
        refused(lambda: location("tests"), "CREATE EXTERNAL LOCATION on Credential 'tests'")
        location()
    # who made them owns them, and an administrator of the workspace does not
    for kind, change, delete in (
        ("External Location", client.external_locations.update, client.external_locations.delete),
        ("Credential", client.storage_credentials.update, client.storage_credentials.delete),
    ):
        refused(lambda change=change: change("others", comment="mine"), f"MANAGE on {kind} 'others'")
        refused(lambda delete=delete: delete("others"), f"MANAGE on {kind} 'others'")
    refused(lambda: client.credentials.delete_credential("topics"), "MANAGE on Credential 'topics'")
    own.external_locations.update("others", comment="mine")
    own.external_locations.delete("others")
    own.storage_credentials.delete("others")
    own.credentials.delete_credential("topics")


@pytest.mark.shows("unity catalog: privileges CREATE and USE on catalogs and schemas", client="databricks-sdk")
@pytest.mark.parametrize(
    ("make", "remove", "steps"),
    [
        (
            lambda own: own.schemas.create("others", "access"),
            lambda own: own.schemas.delete("access.others"),
            (("catalog", "USE_CATALOG", "Catalog 'access'"), ("catalog", "CREATE_SCHEMA", "Catalog 'access'")),
        ),
        (
            lambda own: own.volumes.create("access", "gold", "others", VolumeType.MANAGED),
            lambda own: own.volumes.delete("access.gold.others"),
            (
                ("catalog", "USE_CATALOG", "Catalog 'access'"),
                ("schema", "USE_SCHEMA", "Schema 'access.gold'"),
                ("schema", "CREATE_VOLUME", "Schema 'access.gold'"),
            ),
        ),
        (
            lambda own: own.registered_models.create(catalog_name="access", schema_name="gold", name="others"),
            lambda own: own.registered_models.delete("access.gold.others"),
            (
                ("catalog", "USE_CATALOG", "Catalog 'access'"),
                ("schema", "USE_SCHEMA", "Schema 'access.gold'"),
                ("schema", "CREATE_MODEL", "Schema 'access.gold'"),
            ),
        ),
    ],
    ids=["schema", "volume", "model"],
)
def test_what_lies_in_a_catalog_is_made_by_who_may(
    client: WorkspaceClient,
    other: Other,
    make: Callable[[WorkspaceClient], object],
    remove: Callable[[WorkspaceClient], None],
    steps: tuple[tuple[str, str, str], ...],
) -> None:
    held: dict[str, str] = {}
    for kind, privilege, where in steps:
        with granted(client, other.name, **held):
            refused(lambda: make(other.client), f"{privilege.replace('_', ' ')} on {where}")
        held[kind] = f"{held.get(kind, '')} {privilege}".strip()
    with granted(client, other.name, **held):
        made = make(other.client)
        assert made.as_dict()["owner"] == other.name  # type: ignore[attr-defined]  # every answer of the SDK has it
        remove(other.client)


@pytest.mark.shows("unity catalog: owner and MANAGE where objects are changed", client="databricks-sdk")
@pytest.mark.parametrize(
    ("kind", "spoken", "entry", "change"),
    [
        ("catalog", "Catalog 'access'", {}, lambda own, **new: own.catalogs.update("access", **new)),
        ("schema", "Schema 'access.gold'", IN_CATALOG, lambda own, **new: own.schemas.update("access.gold", **new)),
        (
            "volume",
            "Volume 'access.gold.files'",
            IN_SCHEMA,
            lambda own, **new: own.volumes.update("access.gold.files", **new),
        ),
        (
            "function",
            "Routine or Model 'access.gold.churn'",
            IN_SCHEMA,
            lambda own, **new: own.registered_models.update("access.gold.churn", **new),
        ),
        (
            "external_location",
            "External Location 'tests'",
            {},
            lambda own, **new: own.external_locations.update("tests", **new),
        ),
        (
            "storage_credential",
            "Credential 'tests'",
            {},
            lambda own, **new: own.storage_credentials.update("tests", **new),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else "",
)
def test_an_object_is_changed_by_its_owner_or_who_manages_it(
    client: WorkspaceClient, other: Other, kind: str, spoken: str, entry: Places, change: Callable[..., object]
) -> None:
    owner = client.current_user.me().user_name or ""
    with granted(client, other.name, **entry):
        refused(lambda: change(other.client, comment="theirs"), f"MANAGE on {spoken}")
        refused(lambda: change(other.client, owner=other.name), f"MANAGE on {spoken}")
    managing = {kind: f"{entry.get(kind, '')} MANAGE".strip()}
    if entry:
        with granted(client, other.name, **managing):
            refused(lambda: change(other.client, comment="theirs"), "USE CATALOG on Catalog 'access'")
    with granted(client, other.name, **(entry | managing)):
        change(other.client, comment="managed")
        change(other.client, owner=other.name)
        change(other.client, owner=owner)
    change(client, owner=other.name)
    with granted(client, other.name, **entry):
        change(other.client, comment="owned")
        change(other.client, owner=owner)


@pytest.mark.shows("unity catalog: owner and MANAGE where privileges are granted", client="databricks-sdk")
def test_privileges_are_granted_by_the_owner_or_who_manages(client: WorkspaceClient, other: Other) -> None:
    def grant(kind: str, name: str, privilege: Privilege) -> object:
        change = PermissionsChange(add=[privilege], principal=other.name)
        return other.client.grants.update(kind, name, changes=[change])

    metastore = client.metastores.summary().metastore_id or ""
    refused(lambda: grant("metastore", metastore, Privilege.CREATE_CATALOG), f"MANAGE on Metastore '{metastore}'")
    refused(lambda: grant("catalog", "access", Privilege.SELECT), "MANAGE on Catalog 'access'")
    refused(lambda: grant("external_location", "tests", Privilege.READ_FILES), "MANAGE on External Location 'tests'")
    with granted(client, other.name, catalog="USE_CATALOG"):
        refused(lambda: grant("schema", "access.gold", Privilege.USE_SCHEMA), "MANAGE on Schema 'access.gold'")
    with granted(client, other.name, catalog="USE_CATALOG MANAGE"):  # which what lies in the catalog inherits
        grant("schema", "access.gold", Privilege.USE_SCHEMA)
        grant("volume", "access.gold.files", Privilege.READ_VOLUME)
    with granted(client, other.name, catalog="ALL_PRIVILEGES"):  # among which MANAGE is not
        refused(lambda: grant("catalog", "access", Privilege.SELECT), "MANAGE on Catalog 'access'")
    taken = PermissionsChange(principal=other.name, remove=[Privilege.USE_SCHEMA])
    client.grants.update("schema", "access.gold", changes=[taken])


@pytest.mark.shows("unity catalog: the owner of what contains an object deletes and grants", client="databricks-sdk")
@pytest.mark.shows("unity catalog: an object is deleted by its owner or who manages it", client="databricks-sdk")
def test_the_owner_of_a_container_governs_what_lies_in_it(
    lakehouse: LocalWorkspace, client: WorkspaceClient, other: Other
) -> None:
    own = other.client
    client.schemas.create("theirs", "access")
    client.volumes.create("access", "theirs", "files", VolumeType.MANAGED)
    spark = SparkSession.builder.remote(lakehouse.settings.spark_remote).create()
    spark.sql("CREATE TABLE access.theirs.kept AS SELECT 1 AS one")
    spark.client.close()
    refused(lambda: own.catalogs.delete("access", force=True), "MANAGE on Catalog 'access'")
    with granted(client, other.name, catalog="USE_CATALOG USE_SCHEMA"):
        refused(lambda: own.volumes.delete("access.theirs.files"), "MANAGE on Volume 'access.theirs.files'")
        refused(lambda: own.tables.delete("access.theirs.kept"), "MANAGE on Table 'access.theirs.kept'")
        refused(lambda: own.schemas.delete("access.theirs"), "MANAGE on Schema 'access.theirs'")
    client.schemas.update("access.theirs", owner=other.name)
    refused(lambda: own.volumes.delete("access.theirs.files"), "USE CATALOG on Catalog 'access'")
    with granted(client, other.name, catalog="USE_CATALOG"):
        change = PermissionsChange(add=[Privilege.READ_VOLUME], principal=other.name)
        own.grants.update("volume", "access.theirs.files", changes=[change])
        own.volumes.delete("access.theirs.files")
        own.tables.delete("access.theirs.kept")
    # the schema is another's by now, and the owner of the catalog deletes it
    client.schemas.delete("access.theirs")


@pytest.mark.shows("unity catalog: bindings are changed by the owner or who manages", client="databricks-sdk")
def test_bindings_are_changed_by_the_owner(client: WorkspaceClient, other: Other) -> None:
    bound = [WorkspaceBinding(workspace_id=client.get_workspace_id())]

    def bind() -> object:
        return other.client.workspace_bindings.update_bindings("catalog", "access", add=bound)

    refused(bind, "MANAGE on Catalog 'access'")
    with granted(client, other.name, catalog="MANAGE"):
        bind()


@pytest.mark.shows("unity catalog: an administrator of the workspace is none of the metastore", client="databricks-sdk")
@pytest.mark.shows("unity catalog: the metastore's administrator changes owners", client="databricks-sdk")
def test_an_administrator_of_the_workspace_is_none_of_the_metastore(
    lakehouse: LocalWorkspace, client: WorkspaceClient, other: Other
) -> None:
    metastore = client.metastores.summary()
    assert metastore.owner == "System user"
    (admins,) = client.groups.list(filter='displayName eq "admins"')
    join = Patch(op=PatchOp.ADD, path="members", value=[ComplexValue(value=other.id).as_dict()])
    client.groups.patch(admins.id or "", operations=[join])
    refused(lambda: other.client.schemas.update("access.gold", owner=other.name), "USE CATALOG on Catalog 'access'")
    refused(lambda: other.client.catalogs.delete("access", force=True), "MANAGE on Catalog 'access'")
    # but it holds privileges on the metastore
    other.client.storage_credentials.create("others", aws_iam_role=ROLE)
    other.client.storage_credentials.delete("others")

    url = lakehouse.settings.workspace_url
    account = AccountClient(host=url, account_id=ACCOUNT_ID, token=lakehouse.token, auth_type="pat")
    identifier = metastore.metastore_id or ""
    account.metastores.update(identifier, metastore_info=UpdateAccountsMetastore(owner=other.name))
    try:
        owner = client.schemas.get("access.gold").owner
        refused(lambda: other.client.schemas.update("access.gold", comment="x"), "USE CATALOG on Catalog 'access'")
        other.client.schemas.update("access.gold", owner=other.name)
        other.client.schemas.update("access.gold", owner=owner)
        other.client.schemas.create("administered", "access")
        client.schemas.delete("access.administered")
    finally:
        account.metastores.update(identifier, metastore_info=UpdateAccountsMetastore(owner=""))
    assert client.metastores.summary().owner == "System user"
