"""Documents of the store that the Unity Catalog area keeps."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from local.workspace.core.store import Document, DocumentKind


class OwnedDocument(TypedDict):
    """Whose an object is, and who changed it when."""

    owner: str
    created_at: int  # milliseconds, as all times
    created_by: str
    updated_at: int
    updated_by: str


class SecurableDocument(OwnedDocument):
    """What all securables of the store have in common."""

    metastore_id: str
    name: str
    full_name: str
    comment: NotRequired[str]


class BindingDocument(TypedDict):
    """The binding of a securable to a workspace; part of the securable."""

    workspace_id: int
    binding_type: Literal["BINDING_TYPE_READ_ONLY", "BINDING_TYPE_READ_WRITE"]


class _WithSettings(SecurableDocument):
    """What catalogs and schemas have in common."""

    catalog_type: Literal["MANAGED_CATALOG"]
    custom_max_retention_hours: NotRequired[int]
    enable_predictive_optimization: Literal["DISABLE", "ENABLE", "INHERIT"]
    properties: NotRequired[dict[str, str]]


class CatalogDocument(_WithSettings):
    """A catalog (kind `uc_catalog`, by its name)."""

    isolation_mode: Literal["ISOLATED", "OPEN"]
    securable_type: Literal["CATALOG"]
    storage_root: NotRequired[str]  # a cloud URL, as all locations; none below the metastore's
    storage_location: str  # where its managed tables and volumes lie, below the root
    managed_encryption_settings: NotRequired[Document]
    options: NotRequired[dict[str, str]]
    bindings: NotRequired[list[BindingDocument]]


class SchemaDocument(_WithSettings):
    """A schema (kind `uc_schema`, by `<catalog>.<schema>`)."""

    catalog_name: str
    schema_id: str
    securable_type: Literal["SCHEMA"]


class VolumeDocument(SecurableDocument):
    """A volume (kind `uc_volume`, by `<catalog>.<schema>.<volume>`)."""

    catalog_name: str
    schema_name: str
    volume_id: str
    volume_type: Literal["EXTERNAL", "MANAGED"]
    storage_location: str


class ModelDocument(SecurableDocument):
    """A registered model (kind `uc_model`, by `<catalog>.<schema>.<model>`)."""

    catalog_name: str
    schema_name: str
    tags: dict[str, str]
    aliases: dict[str, int]  # number of a version by alias
    last_version: int  # number of the newest version ever, which is not given again


class VersionDocument(OwnedDocument):
    """A version of a registered model (kind `uc_model_version`, by `<full name of the model>/<number>`)."""

    metastore_id: str
    model: str  # full name
    version: int
    status: Literal["PENDING_REGISTRATION", "READY"]
    source: str
    run_id: str
    run_workspace_id: str
    model_id: str
    comment: NotRequired[str]
    tags: dict[str, str]


class FunctionDocument(SecurableDocument):
    """A SQL function (kind `uc_function`, by its full name); fields have the names of `FunctionInfo`."""

    catalog_name: str
    schema_name: str
    function_id: str
    input_params: dict[str, list[Document]]
    data_type: str
    full_data_type: str
    routine_body: Literal["SQL"]
    routine_definition: str  # one expression
    parameter_style: Literal["S"]
    is_deterministic: bool
    is_null_call: bool
    security_type: Literal["DEFINER"]
    sql_data_access: str
    specific_name: str


class MaskDocument(TypedDict):
    """A function that masks a column or filters the rows of one table; part of the table."""

    function_name: str
    columns: list[str]  # what the function is given; of a mask, after the column itself


class TableDocument(TypedDict):
    """What Spark does not keep of a table (kind `uc_table`, by its full name)."""

    owner: str
    masks: NotRequired[dict[str, MaskDocument]]  # by the name of the column
    row_filter: NotRequired[MaskDocument]


class ViewDocument(SecurableDocument):
    """A view (kind `uc_view`, by its full name), which Spark does not know: a query that reads it has it inside."""

    catalog_name: str
    schema_name: str
    definition: str  # its query
    scope: list[str]  # catalog and schema of names without them
    columns: list[str]  # new names of the query's columns; empty where they keep theirs


class PolicyDocument(TypedDict):
    """A policy (kind `uc_policy`, by `<type>/<full name>/<name>`); fields have the names of `PolicyInfo`."""

    id: str
    name: str
    on_securable_type: Literal["CATALOG", "SCHEMA", "TABLE"]
    on_securable_fullname: str
    for_securable_type: Literal["TABLE"]
    policy_type: Literal["POLICY_TYPE_COLUMN_MASK", "POLICY_TYPE_ROW_FILTER"]
    to_principals: list[str]
    except_principals: NotRequired[list[str]]
    when_condition: NotRequired[str]
    match_columns: NotRequired[list[dict[str, str]]]
    column_mask: NotRequired[Document]
    row_filter: NotRequired[Document]
    comment: NotRequired[str]
    created_at: int
    created_by: str
    updated_at: int
    updated_by: str


class TagDocument(TypedDict):
    """A tag of an object (kind `uc_tag`, by `<type>/<full name>/<key>`); fields are those of `EntityTagAssignment`."""

    entity_type: str
    entity_name: str
    tag_key: str
    tag_value: NotRequired[str]
    update_time: str
    updated_by: str


CATALOGS = DocumentKind[CatalogDocument]("uc_catalog")
FUNCTIONS = DocumentKind[FunctionDocument]("uc_function")
POLICIES = DocumentKind[PolicyDocument]("uc_policy")
TABLES = DocumentKind[TableDocument]("uc_table")
TAGS = DocumentKind[TagDocument]("uc_tag")
VIEWS = DocumentKind[ViewDocument]("uc_view")
SCHEMAS = DocumentKind[SchemaDocument]("uc_schema")
VOLUMES = DocumentKind[VolumeDocument]("uc_volume")
MODELS = DocumentKind[ModelDocument]("uc_model")
VERSIONS = DocumentKind[VersionDocument]("uc_model_version")
# Privileges by the name of the principal; by `<kind>/<full name>` of the securable, such as `schema/sales.raw`.
GRANTS = DocumentKind[dict[str, list[str]]]("uc_grants")
