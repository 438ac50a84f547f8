"""A governed table for tests: customers with personal data, masked for all but the group `gov-readers`.

Every personal value is unmistakable, so that it can be looked for in whatever a query answers.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from databricks.sdk.service import catalog, iam, sql

if TYPE_CHECKING:
    from tests.local.conftest import LocalWorkspace

CUSTOMER = "gov.silver.customer"
ROWS = 12
# name of a column: its type, its classification, and the value of row n
COLUMNS = {
    "customer_id": ("STRING", "pii.id", "'CIDX{n:04d}'"),
    "full_name": ("STRING", "pii.name", "'Nmqx{n:04d} Zyvkor'"),
    "email": ("STRING", "pii.email", "'emqx{n:04d}@zyvkor.example'"),
    "phone": ("STRING", "pii.phone", "'+999555{n:04d}'"),
    "birth_date": ("DATE", "pii.birth", "DATE'19{n:02d}-07-23'"),
    "street": ("STRING", "pii.location", "'Strqx {n:04d}'"),
    "region": ("STRING", "public", "CASE WHEN {n} % 2 = 0 THEN 'north' ELSE 'south' END"),
    "plan": ("STRING", "public", "CASE WHEN {n} % 3 = 0 THEN 'basic' ELSE 'plus' END"),
    "spent": ("INT", "public", "{n} * 10"),
}
FUNCTIONS = {
    "mask_id": "(v STRING) RETURNS STRING RETURN sha2(concat(try_secret('gov', 'key'), v), 256)",
    "mask_text": "(v STRING) RETURNS STRING RETURN CAST(NULL AS STRING)",
    "mask_email": "(v STRING) RETURNS STRING RETURN concat(left(v, 1), '***@', split_part(v, '.', -1))",
    "mask_birth": "(v STRING) RETURNS STRING RETURN concat(left(v, 4), '-01-01')",
}
MASKED_BY = {
    "pii.id": "mask_id",
    "pii.name": "mask_text",
    "pii.email": "mask_email",
    "pii.phone": "mask_text",
    "pii.birth": "mask_birth",
    "pii.location": "mask_text",
}
SECRET = "kqzj-secret-of-the-hash"


@dataclass
class Governed:
    """The governed workspace: a warehouse, and tokens of the principals by their names."""

    cloud: LocalWorkspace
    warehouse: str
    tokens: dict[str, str] = field(default_factory=dict)

    def run(self, who: str, statement: str, **more: Any) -> sql.StatementResponse:
        """Sends a statement as a principal, by the official client."""
        client = self.cloud.client(self.tokens.get(who)).statement_execution
        more.setdefault("wait_timeout", "50s")
        return client.execute_statement(statement, self.warehouse, **more)

    def rows(self, who: str, statement: str) -> list[list[str]]:
        """The rows of a statement that succeeds."""
        answer = self.run(who, statement)
        assert answer.status, statement
        assert answer.status.state is sql.StatementState.SUCCEEDED, f"{statement}: {answer.status}"
        return (answer.result and answer.result.data_array) or []

    def denied(self, who: str, statement: str) -> str:
        """The message of a statement that is refused."""
        answer = self.run(who, statement)
        assert answer.status, statement
        assert answer.status.error, f"{statement}: {answer.status} {answer.result}"
        return str(answer.status.error.message)

    def text(self, who: str, statement: str) -> str:
        """All that a statement answers, as one text: rows, or the error."""
        return json.dumps(self.run(who, statement).as_dict())


def user(governed: Governed, name: str, *groups: str) -> None:
    """Makes a user who is in groups, and its token."""
    client = governed.cloud.client()
    made = client.users.create(user_name=f"{name}@gov.local")
    assert made.id
    for group in groups:
        found = next(iter(client.groups.list(filter=f'displayName eq "{group}"')))
        add = iam.Patch(op=iam.PatchOp.ADD, path="members", value=[{"value": made.id}])
        client.groups.patch(
            str(found.id), operations=[add], schemas=[iam.PatchSchema.URN_IETF_PARAMS_SCIM_API_MESSAGES_2_0_PATCH_OP]
        )
    governed.tokens[name] = governed.cloud.token_of(f"{name}@gov.local")


def grant(governed: Governed, kind: str, name: str, principal: str, *privileges: str) -> None:
    """Grants privileges by the API."""
    change = catalog.PermissionsChange(principal=principal, add=[catalog.Privilege(each) for each in privileges])
    governed.cloud.client().grants.update(kind, name, changes=[change])


def govern(cloud: LocalWorkspace) -> Governed:
    """Makes the catalog `gov` with its table, functions, tags, policies, groups and users."""
    client = cloud.client()
    made = client.warehouses.create(name="governed", cluster_size="2X-Small", max_num_clusters=1, auto_stop_mins=10)
    governed = Governed(cloud, str(made.id))
    cloud.catalog("gov")
    for schema in ("silver", "governance", "own"):
        client.schemas.create(schema, "gov")
    client.secrets.create_scope("gov")
    client.secrets.put_secret("gov", "key", string_value=SECRET)
    _groups(governed)
    columns = ", ".join(f"{name} {kind}" for name, (kind, _, _) in COLUMNS.items())
    governed.rows("admin", f"CREATE TABLE {CUSTOMER} ({columns})")
    values = ", ".join(
        "(" + ", ".join(value.format(n=number) for _, _, value in COLUMNS.values()) + ")"
        for number in range(10, 10 + ROWS)
    )
    governed.rows("admin", f"INSERT INTO {CUSTOMER} VALUES {values}")
    governed.rows("admin", "CREATE TABLE gov.silver.plans AS SELECT 'basic' AS plan, 5 AS price")
    for name, rest in FUNCTIONS.items():
        governed.rows("admin", f"CREATE OR REPLACE FUNCTION gov.governance.{name}{rest}")
    for name, (_, classification, _) in COLUMNS.items():
        tag = catalog.EntityTagAssignment(f"{CUSTOMER}.{name}", "classification", "columns", tag_value=classification)
        client.entity_tag_assignments.create(tag)
    for classification, function in MASKED_BY.items():
        _policy(governed, classification, function)
    return governed


def ungovern(governed: Governed) -> None:
    """Takes all of it away again, for the next tests of the same workspace."""
    client = governed.cloud.client()
    for policy in list(client.policies.list_policies("catalog", "gov")):
        client.policies.delete_policy("catalog", "gov", policy.name or "")
    client.catalogs.delete("gov", force=True)
    client.warehouses.delete(governed.warehouse)
    client.secrets.delete_scope("gov")
    for group in client.groups.list(filter='displayName sw "gov-"'):
        client.groups.delete(group.id or "")
    for someone in client.users.list():
        if (someone.user_name or "").endswith("@gov.local"):
            client.users.delete(someone.id or "")


def _groups(governed: Governed) -> None:
    """Analysts are staff, which is a group of groups; readers and the administrator see all in clear."""
    client = governed.cloud.client()
    analysts = client.groups.create(display_name="gov-analysts")
    client.groups.create(display_name="gov-staff", members=[iam.ComplexValue(value=analysts.id)])
    me = client.current_user.me()
    client.groups.create(display_name="gov-readers", members=[iam.ComplexValue(value=me.id)])
    user(governed, "analyst", "gov-analysts")
    user(governed, "reader", "gov-readers", "gov-analysts")
    user(governed, "stranger")
    grant(governed, "catalog", "gov", "gov-staff", "USE_CATALOG")
    grant(governed, "schema", "gov.silver", "gov-staff", "USE_SCHEMA", "SELECT")
    grant(
        governed, "schema", "gov.own", "gov-staff", "USE_SCHEMA", "CREATE_TABLE", "CREATE_FUNCTION", "SELECT", "MODIFY"
    )


def _policy(governed: Governed, classification: str, function: str) -> None:
    governed.cloud.client().policies.create_policy(
        catalog.PolicyInfo(
            name=f"mask_{classification.replace('.', '_')}",
            on_securable_type=catalog.SecurableType.CATALOG,
            on_securable_fullname="gov",
            for_securable_type=catalog.SecurableType.TABLE,
            policy_type=catalog.PolicyType.POLICY_TYPE_COLUMN_MASK,
            to_principals=["account users"],
            except_principals=["gov-readers"],
            match_columns=[
                catalog.MatchColumn(alias="column", condition=f"hasTagValue('classification', '{classification}')")
            ],
            column_mask=catalog.ColumnMaskOptions(function_name=f"gov.governance.{function}", on_column="column"),
        )
    )
