"""Documents of the store by which Unity Catalog reaches the cloud."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NotRequired, TypedDict

if TYPE_CHECKING:
    from local.workspace.core.store import Document

Purpose = Literal["STORAGE", "SERVICE"]


class CloudSecurable(TypedDict):
    """Common fields of credentials and external locations."""

    id: str
    name: str
    full_name: str
    metastore_id: str
    owner: str
    comment: NotRequired[str]
    isolation_mode: Literal["ISOLATION_MODE_OPEN", "ISOLATION_MODE_ISOLATED"]
    read_only: bool
    created_at: int  # milliseconds, as all times
    created_by: str
    updated_at: int
    updated_by: str
    bindings: NotRequired[list[Document]]  # workspaces that it is bound to


class CredentialDocument(CloudSecurable):
    """A storage or service credential (kind `uc_credential`, by its name)."""

    purpose: Purpose
    aws_iam_role: Document  # role_arn, external_id, unity_catalog_iam_arn
    used_for_managed_storage: bool


class LocationDocument(CloudSecurable):
    """An external location (kind `uc_external_location`, by its name)."""

    url: str  # without a slash at its end
    credential_name: str
    credential_id: str
    fallback: bool
    enable_file_events: NotRequired[bool]
    file_event_queue: NotRequired[Document]
