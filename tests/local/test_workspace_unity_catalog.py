"""Catalogs, schemas, volumes, tables, registered models and grants, with Spark and MLflow."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from databricks.sdk.errors import BadRequest, NotFound, Unauthenticated
from databricks.sdk.service import catalog
from pyspark.errors import PySparkException
from pyspark.sql.connect.session import SparkSession

if TYPE_CHECKING:
    from collections.abc import Iterator

    from databricks.sdk import WorkspaceClient

    from tests.local.conftest import LocalWorkspace


ROOT = "s3://tests"  # the external location of every local cloud in tests


@pytest.fixture(scope="module")
def client(lakehouse: LocalWorkspace) -> Iterator[WorkspaceClient]:
    client = lakehouse.client()
    client.catalogs.create("unity", comment="for tests", storage_root=ROOT)
    client.schemas.create("gold", "unity")
    yield client
    client.catalogs.delete("unity", force=True)


@pytest.fixture(scope="module")
def spark(lakehouse: LocalWorkspace) -> Iterator[SparkSession]:
    session = SparkSession.builder.remote(lakehouse.settings.spark_remote).create()
    yield session
    session.client.close()


@pytest.mark.shows("unity catalog: catalogs and schemas", client="databricks-sdk")
@pytest.mark.shows("unity catalog: a catalog is usable in Spark at once", client="Spark Connect")
def test_a_catalog_is_usable_in_spark_at_once(client: WorkspaceClient, spark: SparkSession) -> None:
    spark.sql("CREATE TABLE unity.gold.first AS SELECT 1 AS one")
    assert spark.table("unity.gold.first").count() == 1
    made = client.catalogs.get("unity")
    assert (made.full_name, made.owner, made.metastore_id) == (
        "unity",
        "admin@churn.local",
        client.metastores.current().metastore_id,
    )
    assert [schema.name for schema in client.schemas.list("unity")] == ["default", "gold"]


@pytest.mark.shows("unity catalog: names ignore case", client="databricks-sdk")
def test_names_are_lower_case_and_taken_once(client: WorkspaceClient) -> None:
    with pytest.raises(BadRequest) as raised:
        client.catalogs.create("UNITY", storage_root=ROOT)
    assert raised.value.error_code == "CATALOG_ALREADY_EXISTS"
    with pytest.raises(BadRequest) as raised:
        client.schemas.create("Gold", "unity")
    assert raised.value.error_code == "SCHEMA_ALREADY_EXISTS"
    assert client.schemas.get("UNITY.Gold").full_name == "unity.gold"
    with pytest.raises(BadRequest, match=r"name is 'a-b\.c'"):
        client.catalogs.create("a-b.c", storage_root=ROOT)


@pytest.mark.parametrize("name", ["unity__gold", "unity_"])
def test_a_catalog_is_not_taken_for_a_schema_of_another(
    client: WorkspaceClient, spark: SparkSession, name: str
) -> None:
    with pytest.raises(BadRequest, match=f"name is '{name}': a catalog of the local workspace has no __ in its name"):
        client.catalogs.create(name, storage_root=ROOT)
    with pytest.raises(PySparkException, match=f"catalog `{name}`: take a name without __"):
        spark.sql(f"CREATE SCHEMA catalogs.{name}")


@pytest.mark.shows("unity catalog: error codes of what is missing", client="databricks-sdk")
@pytest.mark.parametrize(
    ("read", "code"),
    [
        (lambda client: client.catalogs.get("none"), "CATALOG_DOES_NOT_EXIST"),
        (lambda client: client.schemas.get("unity.none"), "SCHEMA_DOES_NOT_EXIST"),
        (lambda client: client.schemas.create("s", "none"), "CATALOG_DOES_NOT_EXIST"),
        (lambda client: client.volumes.read("unity.gold.none"), "VOLUME_DOES_NOT_EXIST"),
        (lambda client: client.tables.get("unity.gold.none"), "TABLE_DOES_NOT_EXIST"),
        (lambda client: client.registered_models.get("unity.gold.none"), "RESOURCE_DOES_NOT_EXIST"),
        (lambda client: client.grants.get("schema", "unity.none"), "SCHEMA_DOES_NOT_EXIST"),
        (lambda client: client.catalogs.update("unity", owner="nobody"), "PRINCIPAL_DOES_NOT_EXIST"),
    ],
)
def test_what_is_missing_has_its_error_code(client: WorkspaceClient, read: object, code: str) -> None:
    assert callable(read)
    with pytest.raises(NotFound) as raised:
        read(client)
    assert raised.value.error_code == code


@pytest.mark.shows("unity catalog: tables with columns, types and comments", client="databricks-sdk")
def test_a_table_is_shown_as_spark_has_it(client: WorkspaceClient, spark: SparkSession) -> None:
    spark.sql("CREATE TABLE unity.gold.shown (id BIGINT COMMENT 'key', price DECIMAL(8,2), tags ARRAY<STRING>)")
    table = client.tables.get("unity.gold.shown")
    assert (table.table_type, table.data_source_format) == (
        catalog.TableType.MANAGED,
        catalog.DataSourceFormat.DELTA,
    )
    assert [(column.name, column.type_text, column.type_name) for column in table.columns] == [
        ("id", "bigint", catalog.ColumnTypeName.LONG),
        ("price", "decimal(8,2)", catalog.ColumnTypeName.DECIMAL),
        ("tags", "array<string>", catalog.ColumnTypeName.ARRAY),
    ]
    assert table.columns[0].comment == "key"
    assert table.storage_location == f"{client.catalogs.get('unity').storage_location}/gold/shown"
    assert "shown" in [found.name for found in client.tables.list("unity", "gold")]
    assert client.tables.exists("unity.gold.shown").table_exists
    client.tables.delete("unity.gold.shown")
    assert not spark.catalog.tableExists("unity.gold.shown")
    assert not client.tables.exists("nobodys.gold.shown").table_exists, "a catalog that nobody has made has no tables"


def test_the_tables_of_a_catalog_lie_below_its_storage_root(
    lakehouse: LocalWorkspace, client: WorkspaceClient, spark: SparkSession
) -> None:
    client.catalogs.create("rooted", storage_root=f"{ROOT}/deep/down")
    spark.sql("CREATE SCHEMA rooted.by_sql")
    spark.sql("CREATE TABLE rooted.by_sql.t AS SELECT 1 AS one")
    below = lakehouse.settings.s3 / "tests" / "deep" / "down"
    [log] = below.rglob("_delta_log")
    assert log.parts[-4:-1] == (str(client.catalogs.get("rooted").storage_location).rpartition("/")[2], "by_sql", "t")
    client.catalogs.delete("rooted", force=True)
    assert list(below.rglob("*.parquet")) == []


@pytest.mark.shows("unity catalog: deletion by force, and its refusal without", client="databricks-sdk")
def test_what_is_not_empty_stays_unless_forced(client: WorkspaceClient, spark: SparkSession) -> None:
    client.catalogs.create("short", storage_root=ROOT)
    client.schemas.create("held", "short")
    spark.sql("CREATE TABLE short.held.t AS SELECT 1 AS one")
    client.volumes.create("short", "held", "files", catalog.VolumeType.MANAGED)
    client.files.upload("/Volumes/short/held/files/x", io.BytesIO(b"x"))
    with pytest.raises(BadRequest, match=r"The schema has 1 tables\(s\), 0 functions\(s\), 1 volumes\(s\)"):
        client.schemas.delete("short.held")
    with pytest.raises(BadRequest, match=r"Catalog 'short' is not empty. The catalog has 1 schema\(s\)"):
        client.catalogs.delete("short")
    client.catalogs.delete("short", force=True)
    with pytest.raises(NotFound):
        client.volumes.read("short.held.files")
    assert not spark.catalog.tableExists("short.held.t")


def test_the_default_schema_counts_once_it_holds_something(client: WorkspaceClient, spark: SparkSession) -> None:
    client.catalogs.create("plain", storage_root=ROOT)
    spark.sql("CREATE TABLE plain.default.t AS SELECT 1 AS one")
    with pytest.raises(BadRequest, match=r"Schema 'plain.default' is not empty. The schema has 1 tables\(s\)"):
        client.catalogs.delete("plain")
    assert spark.table("plain.default.t").count() == 1
    client.tables.delete("plain.default.t")
    client.catalogs.delete("plain")
    with pytest.raises(NotFound):
        client.catalogs.get("plain")


def test_a_schema_made_by_sql_counts(client: WorkspaceClient, spark: SparkSession) -> None:
    client.catalogs.create("sql", storage_root=ROOT)
    spark.sql("CREATE SCHEMA sql.`2026`")
    spark.sql("CREATE TABLE sql.`2026`.t AS SELECT 1 AS one")
    with pytest.raises(BadRequest, match=r"Catalog 'sql' is not empty. The catalog has 1 schema\(s\)"):
        client.catalogs.delete("sql")
    assert spark.table("sql.`2026`.t").count() == 1
    client.catalogs.delete("sql", force=True)
    client.catalogs.create("sql", storage_root=ROOT)
    client.catalogs.delete("sql")


def test_a_catalog_that_spark_has_lost_can_be_deleted(client: WorkspaceClient, spark: SparkSession) -> None:
    """Leaves the state of a workspace that was killed during a deletion."""
    client.catalogs.create("lost", storage_root=ROOT)
    spark.sql("DROP SCHEMA catalogs.lost CASCADE")
    client.catalogs.delete("lost")
    with pytest.raises(NotFound):
        client.catalogs.get("lost")


def test_a_catalog_comes_back_empty(client: WorkspaceClient, spark: SparkSession) -> None:
    for _ in range(3):
        client.catalogs.create("again", storage_root=ROOT)
        client.schemas.create("s", "again")
        assert spark.sql("SHOW TABLES IN again.s").collect() == []
        spark.sql("CREATE TABLE again.s.t AS SELECT 1 AS one")
        client.catalogs.delete("again", force=True)


@pytest.mark.shows("unity catalog: managed volumes", client="databricks-sdk")
def test_a_volume_holds_files_until_it_goes(lakehouse: LocalWorkspace, client: WorkspaceClient) -> None:
    made = client.volumes.create("unity", "gold", "raw", catalog.VolumeType.MANAGED, comment="drops")
    client.files.upload("/Volumes/unity/gold/raw/a/b.txt", io.BytesIO(b"b"))
    folder = lakehouse.settings.volumes / "unity/gold/raw"
    assert (folder / "a/b.txt").read_bytes() == b"b"
    assert made.storage_location is not None
    assert made.storage_location.startswith(f"{client.catalogs.get('unity').storage_location}/volumes/")
    content = lakehouse.settings.s3 / made.storage_location.removeprefix("s3://")
    assert (content / "a/b.txt").read_bytes() == b"b"
    assert [volume.name for volume in client.volumes.list("unity", "gold")] == ["raw"]
    client.volumes.delete("unity.gold.raw")
    assert not folder.exists()
    assert not content.exists()


@pytest.mark.shows(
    "unity catalog: grants are added and removed; privileges fit their securable", client="databricks-sdk"
)
def test_grants_add_and_remove(client: WorkspaceClient) -> None:
    def change(**privileges: list[catalog.Privilege]) -> dict[str, list[str]]:
        changes = [catalog.PermissionsChange(principal="users", **privileges)]
        answer = client.grants.update("schema", "unity.gold", changes=changes)
        return {item.principal: [each.value for each in item.privileges] for item in answer.privilege_assignments or []}

    assert change(add=[catalog.Privilege.SELECT, catalog.Privilege.MODIFY]) == {"users": ["SELECT", "MODIFY"]}
    assert change(remove=[catalog.Privilege.MODIFY]) == {"users": ["SELECT"]}
    assert client.grants.get("schema", "unity.gold", principal="admins").privilege_assignments == []
    with pytest.raises(BadRequest, match="Privilege USE_CATALOG is not applicable to a schema; applicable: ALL_PRI"):
        change(add=[catalog.Privilege.USE_CATALOG])
    assert change(remove=[catalog.Privilege.SELECT]) == {}
    ghosts = [catalog.PermissionsChange(principal="ghosts", add=[catalog.Privilege.SELECT])]
    with pytest.raises(NotFound, match="Could not find principal with name ghosts"):
        client.grants.update("schema", "unity.gold", changes=ghosts)


@pytest.mark.shows("unity catalog: properties that the service adds", client="databricks-sdk")
def test_the_service_adds_properties_of_its_own(client: WorkspaceClient) -> None:
    own = "unity.catalog.managed.delta.defaults.delta.enableRowTracking"
    made = client.schemas.create("properties", "unity", properties={"team": "retention"})
    assert made.properties == {"team": "retention", own: "true"}
    assert client.schemas.update("unity.properties", properties={"team": "churn"}).properties == {
        "team": "churn",
        own: "true",
    }
    assert client.catalogs.get("unity").properties == {own: "true"}
    client.schemas.delete("unity.properties")


@pytest.mark.shows("mlflow: MLflow's own pages", client="httpx")
def test_mlflow_asks_for_the_token_and_shows_its_pages_without(
    lakehouse: LocalWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Unauthenticated):
        list(lakehouse.client("wrong").experiments.list_experiments())
    with lakehouse.http() as http:
        page = http.get("/mlflow/", headers={"Authorization": ""})
        assert (page.status_code, "<title>MLflow</title>" in page.text) == (200, True)
        found = http.post(
            "/mlflow/ajax-api/2.0/mlflow/experiments/search",
            json={"max_results": 5},
            headers={"Origin": lakehouse.settings.workspace_url},
        )
        assert found.status_code == 200, found.text
        foreign = http.post(
            "/mlflow/ajax-api/2.0/mlflow/experiments/create",
            json={"name": "evil"},
            headers={"Origin": "http://evil.example"},
        )
        assert foreign.status_code == 403


@pytest.mark.shows("unity catalog: objects outlive a restart of Spark and MLflow", client="databricks-sdk")
def test_what_spark_and_mlflow_hold_survives_their_restart(lakehouse: LocalWorkspace, client: WorkspaceClient) -> None:
    client.schemas.create("kept", "unity")
    lakehouse.stop("spark", "mlflow")
    with lakehouse.http() as http:  # the SDK would try again for minutes
        for missing, path in (
            ("MLflow", "2.0/mlflow/experiments/get?experiment_id=0"),
            ("Spark Connect", "2.1/unity-catalog/tables/unity.gold.t"),
        ):
            answer = http.get(f"/api/{path}")
            assert answer.status_code == 503
            assert answer.json()["message"].startswith(f"{missing} at ")
    lakehouse.start_spark()
    lakehouse.start_mlflow()
    assert client.experiments.get_experiment("0").experiment is not None
    client.schemas.create("after", "unity")
    assert {schema.name for schema in client.schemas.list("unity")} == {"default", "gold", "kept", "after"}
