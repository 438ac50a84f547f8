"""Documents of the store that the identity area keeps, beside the principals of `core/documents.py`."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from local.workspace.core.store import Document, DocumentKind

Level = Literal["ADMIN", "USER"]


class AssignmentDocument(TypedDict):
    """The assignment of a principal to the workspace (kind `permission_assignments`, by the principal's id)."""

    permissions: list[Level]


class RuleDocument(TypedDict):
    """A rule: a role, and the principals that have it; part of a rule set."""

    role: str
    principals: NotRequired[list[str]]  # such as `groups/data-engineers`


class RuleSetDocument(TypedDict):
    """A rule set (kind `rule_sets`, by its name)."""

    name: str
    etag: str
    grant_rules: list[RuleDocument]


class PermissionsDocument(TypedDict):
    """The direct permissions on an object (kind `permissions`, by `<kind of the object>/<its id>`)."""

    access_control_list: list[Document]  # as requests have them: a principal and a `permission_level`


class SecretDocument(TypedDict):
    """An OAuth secret (kind `service_principal_secrets`, by `<service principal's id>/<its id>`), without its value."""

    id: str
    secret_hash: str
    create_time: str
    update_time: str
    expire_time: str
    status: Literal["ACTIVE"]


ASSIGNMENTS = DocumentKind[AssignmentDocument]("permission_assignments")
RULE_SETS = DocumentKind[RuleSetDocument]("rule_sets")
SECRETS = DocumentKind[SecretDocument]("service_principal_secrets")
PERMISSIONS = DocumentKind[PermissionsDocument]("permissions")
