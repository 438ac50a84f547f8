"""Documents of the store by which Unity Catalog reaches the cloud."""

from __future__ import annotations

from typing import Literal, NotRequired

from local.workspace.core.store import Document, DocumentKind
from local.workspace.unity_catalog.documents import BindingDocument, SecurableDocument

Purpose = Literal["STORAGE", "SERVICE"]


class CloudSecurable(SecurableDocument):
    """Common fields of credentials and external locations."""

    id: str
    isolation_mode: Literal["ISOLATION_MODE_OPEN", "ISOLATION_MODE_ISOLATED"]
    read_only: bool
    bindings: NotRequired[list[BindingDocument]]


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


CREDENTIALS = DocumentKind[CredentialDocument]("uc_credential")
LOCATIONS = DocumentKind[LocationDocument]("uc_external_location")
