"""Authorisation of SQL statements by their callers, through the official SDK on real Spark."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import httpx
import pytest
from databricks.sdk.errors import NotFound, PermissionDenied
from databricks.sdk.service import catalog, sql
from databricks.sdk.service.dashboards import Dashboard
from pyspark.sql import SparkSession

from cli.access import what, who
from cli.errors import CommandError
from tests.local.governed import CUSTOMER, FUNCTIONS, SECRET, Governed, govern, grant, ungovern, user

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.local.conftest import LocalWorkspace


@pytest.fixture(scope="module")
def governed(lakehouse: LocalWorkspace) -> Iterator[Governed]:
    governed = govern(lakehouse)
    yield governed
    ungovern(governed)


@pytest.mark.shows("sql: SELECT, USE CATALOG and USE SCHEMA by caller", client="databricks-sdk")
def test_a_stranger_reads_nothing_and_is_told_what_is_missing(governed: Governed) -> None:
    for statement in (f"SELECT count(*) FROM {CUSTOMER}", f"SELECT * FROM (SELECT 1 AS x) t, {CUSTOMER}"):
        answer = governed.run("stranger", statement)
        assert answer.status.state is sql.StatementState.FAILED
        assert "[INSUFFICIENT_PERMISSIONS]" in answer.status.error.message
        assert "User does not have USE CATALOG on Catalog 'gov'" in answer.status.error.message
    assert governed.rows("stranger", "SELECT 1") == [["1"]]


@pytest.mark.shows("sql: groups in groups", client="databricks-sdk")
def test_a_right_of_a_group_of_groups_on_a_schema_is_enough(governed: Governed) -> None:
    assert governed.rows("analyst", f"SELECT count(*) FROM {CUSTOMER}") == [["12"]]
    answer = governed.run("analyst", "SELECT price FROM plans", catalog="gov", schema="silver")
    assert answer.result.data_array == [["5"]]


@pytest.mark.shows("sql: column masks by tags", client="databricks-sdk")
def test_the_analyst_sees_masked_values_and_the_reader_true_ones(governed: Governed) -> None:
    query = f"SELECT full_name, email, phone, birth_date, region FROM {CUSTOMER} WHERE spent = 110"
    assert governed.rows("analyst", query) == [[None, "e***@example", None, "1911-01-01", "south"]]
    truth = [["Nmqx0011 Zyvkor", "emqx0011@zyvkor.example", "+9995550011", "1911-07-23", "south"]]
    assert governed.rows("reader", query) == truth


@pytest.mark.shows("sql: masks with a key from a secret scope", client="databricks-sdk")
def test_masked_identifiers_still_join_and_the_key_stays_hidden(governed: Governed) -> None:
    join = f"SELECT count(*), max(length(a.customer_id)) FROM {CUSTOMER} a JOIN {CUSTOMER} b USING (customer_id)"
    assert governed.rows("analyst", join) == [["12", "64"]]
    assert "does not exist" in governed.denied("analyst", "SELECT secret('gov', 'key')")
    for failing in ("CAST(customer_id AS INT)", "raise_error(customer_id)", "nowhere"):
        text = governed.text("analyst", f"SELECT {failing} FROM {CUSTOMER}")
        assert "FAILED" in text
        assert SECRET not in text
    assert SECRET not in governed.text("analyst", f"EXPLAIN EXTENDED SELECT * FROM {CUSTOMER}")


def test_a_star_keeps_the_order_and_the_types_of_columns(governed: Governed) -> None:
    answers = [governed.run(who, f"SELECT * FROM {CUSTOMER}") for who in ("analyst", "reader")]
    shapes = [[(c.name, c.type_text) for c in answer.manifest.schema.columns] for answer in answers]
    assert shapes[0] == shapes[1]


@pytest.mark.shows("sql: a view reads with its owner's rights", client="databricks-sdk")
def test_a_view_reads_with_the_rights_of_its_owner(governed: Governed) -> None:
    governed.rows(
        "admin", f"CREATE OR REPLACE VIEW gov.own.clear AS SELECT email, current_user() AS me FROM {CUSTOMER}"
    )
    governed.rows("analyst", f"CREATE OR REPLACE VIEW gov.own.masked (mail) AS SELECT email FROM {CUSTOMER}")
    assert governed.rows("analyst", "SELECT max(me), min(email) FROM gov.own.clear") == [
        ["analyst@gov.local", "emqx0010@zyvkor.example"]
    ]
    assert governed.rows("reader", "SELECT DISTINCT mail FROM gov.own.masked") == [["e***@example"]]
    assert "Catalog 'gov'" in governed.denied("stranger", "SELECT * FROM gov.own.clear")


@pytest.mark.shows("sql: MODIFY, CREATE TABLE and ownership", client="databricks-sdk")
def test_who_may_not_write_does_not_write(governed: Governed) -> None:
    assert "MODIFY on Table" in governed.denied("analyst", f"INSERT INTO {CUSTOMER} (plan) VALUES ('x')")
    assert "MODIFY on Table" in governed.denied("analyst", f"DELETE FROM {CUSTOMER} WHERE true")
    assert "MODIFY on Table" in governed.denied("analyst", f"TRUNCATE TABLE {CUSTOMER}")
    assert "CREATE TABLE on Schema" in governed.denied("analyst", "CREATE TABLE gov.silver.mine (x INT)")
    assert "MANAGE on Table" in governed.denied("analyst", f"DROP TABLE {CUSTOMER}")
    assert "MANAGE on Table" in governed.denied("analyst", f"ALTER TABLE {CUSTOMER} ADD COLUMN x INT")
    governed.rows("analyst", "CREATE TABLE gov.own.mine AS SELECT 1 AS x")
    governed.rows("analyst", "INSERT INTO gov.own.mine VALUES (2)")
    governed.rows("analyst", "UPDATE gov.own.mine SET x = 3 WHERE x = 2")
    assert governed.rows("analyst", "SELECT sum(x) FROM gov.own.mine") == [["4"]]
    assert governed.cloud.client().tables.get("gov.own.mine").owner == "analyst@gov.local"
    governed.rows("analyst", "DROP TABLE gov.own.mine")


def test_what_is_copied_from_a_masked_table_stays_masked(governed: Governed) -> None:
    governed.rows("analyst", f"CREATE OR REPLACE TABLE gov.own.copy AS SELECT * FROM {CUSTOMER}")
    governed.rows("analyst", f"INSERT INTO gov.own.copy SELECT * FROM {CUSTOMER}")
    assert governed.rows("reader", "SELECT DISTINCT email FROM gov.own.copy") == [["e***@example"]]


def test_a_masked_table_is_changed_by_nobody_who_sees_it_masked(governed: Governed) -> None:
    user(governed, "writer", "gov-analysts")
    grant(governed, "table", CUSTOMER, "writer@gov.local", "MODIFY")
    for statement in (
        f"DELETE FROM {CUSTOMER} WHERE email = 'emqx0011@zyvkor.example'",
        f"UPDATE {CUSTOMER} SET plan = email",
        f"MERGE INTO {CUSTOMER} t USING gov.silver.plans s ON t.email = s.plan WHEN MATCHED THEN DELETE",
        f"INSERT INTO {CUSTOMER} REPLACE WHERE email = 'x' SELECT * FROM {CUSTOMER}",
        f"ALTER TABLE {CUSTOMER} RENAME COLUMN email TO mail",
        f"OPTIMIZE {CUSTOMER}",
    ):
        assert "INSUFFICIENT_PERMISSIONS" in governed.denied("writer", statement), statement


@pytest.mark.shows("sql: functions, EXECUTE", client="databricks-sdk")
def test_functions_run_for_who_may_execute_them(governed: Governed) -> None:
    client = governed.cloud.client()
    found = client.functions.get("gov.governance.mask_email")
    assert (found.full_data_type, found.input_params.parameters[0].name) == ("STRING", "v")
    assert {function.name for function in client.functions.list("gov", "governance")} == set(FUNCTIONS)
    call = "SELECT gov.governance.mask_email('abc@x.org')"
    assert governed.rows("admin", call) == [["a***@org"]]
    assert "USE SCHEMA on Schema 'gov.governance'" in governed.denied("analyst", call)
    grant(governed, "schema", "gov.governance", "gov-staff", "USE_SCHEMA")
    assert "EXECUTE on Routine or Model 'gov.governance.mask_email'" in governed.denied("analyst", call)
    grant(governed, "function", "gov.governance.mask_email", "gov-staff", "EXECUTE")
    assert governed.rows("analyst", call) == [["a***@org"]]


@pytest.mark.shows("sql: masks and row filters of a table", client="databricks-sdk")
def test_masks_and_row_filters_of_a_table_hold(governed: Governed) -> None:
    governed.rows("admin", "CREATE TABLE gov.own.team AS SELECT n, concat('Wkqz', n) AS word FROM range(4) AS r(n)")
    governed.rows(
        "admin",
        "CREATE FUNCTION gov.own.hide(w STRING, n BIGINT) RETURNS STRING "
        "RETURN CASE WHEN is_account_group_member('gov-readers') OR n = 0 THEN w END",
    )
    governed.rows("admin", "CREATE FUNCTION gov.own.few(n BIGINT) RETURNS BOOLEAN RETURN n < 2")
    governed.rows("admin", "ALTER TABLE gov.own.team ALTER COLUMN word SET MASK gov.own.hide USING COLUMNS (n)")
    governed.rows("admin", "ALTER TABLE gov.own.team SET ROW FILTER gov.own.few ON (n)")
    assert governed.rows("analyst", "SELECT word FROM gov.own.team ORDER BY n") == [["Wkqz0"], [None]]
    assert governed.rows("reader", "SELECT word FROM gov.own.team ORDER BY n") == [["Wkqz0"], ["Wkqz1"]]
    shown = governed.cloud.client().tables.get("gov.own.team")
    assert shown.row_filter.function_name == "gov.own.few"
    assert [column.mask and column.mask.function_name for column in shown.columns] == [None, "gov.own.hide"]
    told = next(access for access in who(governed.cloud.client(), "gov.own.team") if "analyst" in access.principal)
    assert told.sight == "masked: word; rows by gov.own.few"
    governed.rows("admin", "ALTER TABLE gov.own.team DROP ROW FILTER")
    governed.rows("admin", "ALTER TABLE gov.own.team ALTER COLUMN word DROP MASK")
    assert governed.rows("analyst", "SELECT count(word) FROM gov.own.team") == [["4"]]
    governed.rows("admin", "DROP TABLE gov.own.team")


@pytest.mark.shows("sql: the change feed of a table, for who sees all of it", client="databricks-sdk")
def test_the_changes_of_a_table_are_read_by_who_sees_all_of_it(governed: Governed) -> None:
    governed.rows("admin", "CREATE TABLE gov.own.fed (n INT)")
    session = SparkSession.builder.remote(governed.cloud.settings.spark_remote).create()
    session.sql("ALTER TABLE gov.own.fed SET TBLPROPERTIES (delta.enableChangeDataFeed = true)").collect()
    session.client.close()
    governed.rows("admin", "INSERT INTO gov.own.fed VALUES (1), (2)")
    changes = "SELECT f.n, f._change_type FROM table_changes('gov.own.fed', 2) f ORDER BY 1"
    for who_asks in ("admin", "analyst"):
        assert governed.rows(who_asks, changes) == [["1", "insert"], ["2", "insert"]]
    assert "INSUFFICIENT_PERMISSIONS" in governed.denied("stranger", changes)
    for name in ("concat('gov.own', '.fed')", "lower('GOV.OWN.FED')"):
        assert "takes the name of a table" in governed.denied("admin", f"SELECT * FROM table_changes({name}, 1)")
    assert "are not" in governed.denied("analyst", f"SELECT * FROM table_changes('{CUSTOMER}', 1)")
    governed.rows("admin", "DROP TABLE gov.own.fed")


@pytest.mark.shows("unity catalog: policies, row filters by tags", client="databricks-sdk")
def test_a_row_filter_of_a_policy_keeps_rows_from_a_group(governed: Governed) -> None:
    client = governed.cloud.client()
    client.groups.create(display_name="gov-north")
    user(governed, "north", "gov-north", "gov-analysts")
    governed.rows("admin", "CREATE FUNCTION gov.governance.only(r STRING, w STRING) RETURNS BOOLEAN RETURN r = w")
    tag = catalog.EntityTagAssignment(f"{CUSTOMER}.region", "kind", "columns", tag_value="region")
    client.entity_tag_assignments.create(tag)
    made = client.policies.create_policy(
        catalog.PolicyInfo(
            name="north",
            on_securable_type=catalog.SecurableType.SCHEMA,
            on_securable_fullname="gov.silver",
            for_securable_type=catalog.SecurableType.TABLE,
            policy_type=catalog.PolicyType.POLICY_TYPE_ROW_FILTER,
            to_principals=["gov-north"],
            match_columns=[catalog.MatchColumn(alias="r", condition="hasTag('kind')")],
            row_filter=catalog.RowFilterOptions(
                "gov.governance.only",
                using=[catalog.FunctionArgument(alias="r"), catalog.FunctionArgument(constant="north")],
            ),
        )
    )
    assert made.id
    assert governed.rows("north", f"SELECT region, count(*) FROM {CUSTOMER} GROUP BY region") == [["north", "6"]]
    assert governed.rows("analyst", f"SELECT count(*) FROM {CUSTOMER}") == [["12"]]
    inherited = client.policies.list_policies("table", CUSTOMER, include_inherited=True)
    assert {"north", "mask_pii_email"} <= {policy.name for policy in inherited}
    client.policies.delete_policy("SCHEMA", "gov.silver", "north")
    with pytest.raises(NotFound):
        client.policies.get_policy("SCHEMA", "gov.silver", "north")
    assert governed.rows("north", f"SELECT count(*) FROM {CUSTOMER}") == [["12"]]


@pytest.mark.shows("unity catalog: policies, only with MANAGE on the securable", client="databricks-sdk")
def test_policies_are_managed_by_who_may_manage_the_securable(governed: Governed) -> None:
    analyst = governed.cloud.client(governed.tokens["analyst"])
    with pytest.raises(PermissionDenied, match="MANAGE on Catalog 'gov'"):
        analyst.policies.delete_policy("CATALOG", "gov", "mask_pii_email")
    with pytest.raises(PermissionDenied, match="APPLY TAG on Table"):
        analyst.entity_tag_assignments.delete("columns", f"{CUSTOMER}.email", "classification")


@pytest.mark.shows("sql: GRANT, REVOKE, SHOW GRANTS", client="databricks-sdk")
def test_grants_are_given_shown_and_taken_by_sql(governed: Governed) -> None:
    user(governed, "guest")
    assert "MANAGE on Table" in governed.denied("analyst", f"GRANT SELECT ON TABLE {CUSTOMER} TO `guest@gov.local`")
    governed.rows("admin", "GRANT USE CATALOG ON CATALOG gov TO `guest@gov.local`")
    governed.rows("admin", "GRANT USE SCHEMA, SELECT ON SCHEMA gov.silver TO `guest@gov.local`")
    assert governed.rows("guest", "SELECT price FROM gov.silver.plans") == [["5"]]
    shown = governed.rows("guest", "SHOW GRANTS ON TABLE gov.silver.plans")
    assert ["guest@gov.local", "SELECT", "SCHEMA", "gov.silver"] in shown
    assert {row[0] for row in shown} == {"guest@gov.local"}
    governed.rows("admin", "REVOKE SELECT ON SCHEMA gov.silver FROM `guest@gov.local`")
    assert "SELECT on Table" in governed.denied("guest", "SELECT price FROM gov.silver.plans")


@pytest.mark.shows("unity catalog: effective permissions of every securable", client="databricks-sdk")
def test_effective_permissions_say_where_they_come_from(governed: Governed) -> None:
    effective = governed.cloud.client().grants.get_effective("table", CUSTOMER, principal="gov-staff")
    found = {(p.privilege.value, p.inherited_from_name) for p in effective.privilege_assignments[0].privileges}
    assert {("SELECT", "gov.silver"), ("USE_CATALOG", "gov"), ("USE_SCHEMA", "gov.silver")} <= found


@pytest.mark.shows("sql: information_schema of what the caller may see", client="databricks-sdk")
def test_the_information_schema_has_what_the_caller_may_see(governed: Governed) -> None:
    query = "SELECT table_name FROM gov.information_schema.tables WHERE table_schema = 'silver' ORDER BY 1"
    assert governed.rows("analyst", query) == [["customer"], ["plans"]]
    user(governed, "outsider")
    grant(governed, "catalog", "gov", "outsider@gov.local", "USE_CATALOG")
    assert governed.rows("outsider", query) == []
    names = (
        "SELECT column_name FROM gov.information_schema.columns WHERE table_name = 'customer' AND data_type = 'DATE'"
    )
    assert governed.rows("analyst", names) == [["birth_date"]]


def test_who_reads_a_table_is_told_with_the_route(governed: Governed) -> None:
    client = governed.cloud.client()
    found = {access.principal: access for access in who(client, CUSTOMER)}
    assert "stranger@gov.local" not in found
    assert found["analyst@gov.local"].sight == "masked: birth_date, customer_id, email, full_name, phone, street"
    assert found["reader@gov.local"].sight == "in clear"
    assert "SELECT on gov.silver by gov-staff" in found["analyst@gov.local"].route
    tables = {access.table: access.sight for access in what(client, "analyst@gov.local", "gov")}
    assert tables["gov.silver.plans"] == "in clear"
    assert tables[CUSTOMER].startswith("masked: ")


def test_who_reads_what_is_told_as_far_as_the_asker_may_know(governed: Governed) -> None:
    client, analyst = governed.cloud.client(), governed.cloud.client(governed.tokens["analyst"])
    governed.rows("analyst", "CREATE TABLE gov.own.notes AS SELECT 1 AS x")
    assert {access.table: access.sight for access in what(client, "analyst@gov.local", "gov")}[
        "gov.own.notes"
    ].startswith("not known")
    assert "analyst@gov.local" in {access.principal for access in who(analyst, "gov.own.notes")}
    with pytest.raises(CommandError, match=r"(?s)User does not have MANAGE on Table 'gov.own.notes'.*ask its owner"):
        who(client, "gov.own.notes")
    with pytest.raises(CommandError, match=r"User does not have MANAGE on Catalog 'gov'"):
        what(analyst, "analyst@gov.local", "gov")
    governed.rows("analyst", "DROP TABLE gov.own.notes")


@pytest.mark.shows("dashboards: read as the publisher whose credentials are embedded", client="httpx")
def test_a_dashboard_reads_as_its_publisher(governed: Governed) -> None:
    content = {
        "datasets": [{"name": "d", "queryLines": [f"SELECT max(email) AS v FROM {CUSTOMER}"]}],
        "pages": [
            {
                "layout": [
                    {
                        "position": {"x": 0, "y": 0, "width": 3, "height": 6},
                        "widget": {
                            "queries": [{"query": {"datasetName": "d"}}],
                            "spec": {"widgetType": "counter", "encodings": {"value": {"fieldName": "v"}}},
                        },
                    }
                ]
            }
        ],
    }
    shown = {}
    for who_publishes in ("analyst", "reader"):
        lakeview = governed.cloud.client(governed.tokens[who_publishes]).lakeview
        draft = Dashboard(display_name=who_publishes, parent_path="/Shared", serialized_dashboard=json.dumps(content))
        made = str(lakeview.create(draft).dashboard_id)
        lakeview.publish(made, embed_credentials=True)
        page = httpx.get(f"{governed.cloud.settings.workspace_url}/dashboardsv3/{made}/published", timeout=60)
        shown[who_publishes] = page.text
        lakeview.trash(made)
    assert "e***@example" in shown["analyst"]
    assert "zyvkor" not in shown["analyst"]
    assert "@zyvkor.example" in shown["reader"]


def test_a_file_of_a_volume_is_read_by_who_may(governed: Governed) -> None:
    client = governed.cloud.client()
    client.volumes.create("gov", "silver", "raw", catalog.VolumeType.MANAGED)
    path = "/Volumes/gov/silver/raw/a.csv"
    client.files.upload(path, io.BytesIO(b"email\nemqx0001@zyvkor.example\n"))
    read = f"SELECT * FROM csv.`{path}`"
    analyst = governed.cloud.client(governed.tokens["analyst"])
    with pytest.raises(PermissionDenied, match="READ VOLUME on Volume"):
        analyst.files.download(path)
    assert "READ VOLUME on Volume 'gov.silver.raw'" in governed.denied("analyst", read)
    grant(governed, "volume", "gov.silver.raw", "gov-staff", "READ_VOLUME")
    assert analyst.files.download(path).contents.read().startswith(b"email")
    assert "INSUFFICIENT_PERMISSIONS" not in governed.text("analyst", read)
    with pytest.raises(PermissionDenied, match="WRITE VOLUME"):
        analyst.files.delete(path)


def test_another_caller_does_not_get_the_result_of_a_statement(governed: Governed) -> None:
    made = governed.run("reader", f"SELECT email FROM {CUSTOMER}")
    with pytest.raises(NotFound):
        governed.cloud.client(governed.tokens["analyst"]).statement_execution.get_statement(str(made.statement_id))


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1; SELECT 2",
        "BEGIN SELECT 1; END",
        "EXECUTE IMMEDIATE 'SELECT * FROM gov.silver.customer'",
        "SELECT * FROM IDENTIFIER('gov.silver.customer')",
        "SELECT * FROM table_changes('gov.silver.customer', 0)",
        "SELECT * FROM delta.`{folder}`",
        "SELECT * FROM parquet.`{folder}/*.parquet`",
        "SELECT * FROM spark_catalog.gov__silver.customer",
        "SELECT * FROM gov__silver.customer",
        "SELECT java_method('java.lang.System', 'getenv')",
        "SELECT reflect('java.lang.System', 'getenv')",
        "SELECT TRANSFORM(email) USING 'cat' FROM gov.silver.customer",
        "SELECT '${spark.lakehouse.workspace.token}'",
        "CREATE TABLE gov.own.linked USING delta LOCATION '{folder}'",
        "CREATE TABLE gov.own.cloned CLONE gov.silver.customer",
        "CREATE TABLE gov.own.files USING parquet OPTIONS (path '{folder}')",
        "CREATE TABLE gov.own.optional (x INT) TBLPROPERTIES ('option.path' = '{folder}')",
        "ALTER TABLE gov.own.copy SET LOCATION '{folder}'",
        "DESCRIBE HISTORY gov.silver.customer",
        "DESCRIBE EXTENDED gov.silver.customer",
        "DESCRIBE DETAIL gov.silver.customer",
        "CACHE TABLE gov.silver.customer",
        "SET spark.sql.runSQLOnFiles=true",
        "COPY INTO gov.own.copy FROM '{folder}'",
        "FROM gov.silver.customer INSERT INTO gov.own.copy SELECT *",
        "TABLE gov.silver.customer",
    ],
)
def test_what_cannot_be_judged_is_refused(governed: Governed, statement: str) -> None:
    folder = governed.cloud.settings.tables / "warehouse" / "gov" / "silver" / "customer"
    text = governed.text("analyst", statement.format(folder=folder) if "{folder}" in statement else statement)
    assert '"FAILED"' in text, text
    assert "emqx" not in text
