"""Configurations that a workspace in AWS is made from: credentials, storage, networks, VPC endpoints, keys.

Databricks checks each against AWS when a workspace is made. The local account knows nothing of AWS: it checks that
ids have the form of AWS' and that objects fit together.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from databricks.sdk.service import provisioning as sdk
from fastapi import APIRouter

from local.workspace.account import documents as kept
from local.workspace.account.collection import ACCOUNT, Collection
from local.workspace.account.documents import WORKSPACES, EndpointDocument, NetworkDocument
from local.workspace.core.clock import now_ms
from local.workspace.core.context import ACCOUNT_ID, Workspace, WorkspaceDep
from local.workspace.core.errors import bad_request, not_built
from local.workspace.core.requests import body
from local.workspace.core.store import Document

router = APIRouter()
# The Terraform provider sends the account's id in the body as well as in the path.
_ACCOUNT_TOO = {"account_id": str}
_REGISTRATION_MS = 500  # until a new VPC endpoint is available; minutes on Databricks
_SUBNETS, _GROUPS = 2, 5  # subnets at least, security groups at most

CREDENTIALS = Collection(
    kept.CREDENTIALS, "credential configuration", "credentials_id", "credentials_name", (WORKSPACES,)
)
STORAGE = Collection(
    kept.STORAGE,
    "storage configuration",
    "storage_configuration_id",
    "storage_configuration_name",
    (WORKSPACES,),
)
NETWORKS = Collection(kept.NETWORKS, "network configuration", "network_id", "network_name", (WORKSPACES,))
ENDPOINTS = Collection(
    kept.ENDPOINTS,
    "VPC endpoint",
    "vpc_endpoint_id",
    "vpc_endpoint_name",
    (kept.NETWORKS, kept.PRIVATE_ACCESS),
)
KEYS = Collection(kept.KEYS, "encryption key", "customer_managed_key_id", None, (WORKSPACES,))


def _check(field: str, value: str, pattern: str, example: str) -> None:
    """Requires the form that AWS gives to a value."""
    if not re.fullmatch(pattern, value):
        raise bad_request(f"{field} is {value!r}, which has not the form of {example}")


@router.post(f"{ACCOUNT}/credentials", status_code=201)
def create_credentials(
    request: Annotated[Document, body(sdk.CredentialsAPI.create)], workspace: WorkspaceDep
) -> Mapping[str, Any]:
    """Registers a role."""
    role = request["aws_credentials"].get("sts_role", {}).get("role_arn", "")
    _check(
        "aws_credentials.sts_role.role_arn",
        role,
        r"arn:aws:iam::\d{12}:role/\S+",
        "arn:aws:iam::123456789012:role/name",
    )
    return CREDENTIALS.create(workspace, request)


@router.get(f"{ACCOUNT}/credentials")
def list_credentials(workspace: WorkspaceDep) -> Sequence[Mapping[str, Any]]:
    """Returns all registered roles."""
    return CREDENTIALS.all(workspace)


@router.get(f"{ACCOUNT}/credentials/{{identifier}}")
def get_credentials(identifier: str, workspace: WorkspaceDep) -> Mapping[str, Any]:
    """Returns a registered role."""
    return CREDENTIALS.find(workspace, identifier)


@router.delete(f"{ACCOUNT}/credentials/{{identifier}}")
def delete_credentials(identifier: str, workspace: WorkspaceDep) -> Mapping[str, Any]:
    """Removes a role that no workspace uses."""
    return CREDENTIALS.delete(workspace, identifier)


@router.post(f"{ACCOUNT}/storage-configurations", status_code=201)
def create_storage(
    request: Annotated[Document, body(sdk.StorageAPI.create, _ACCOUNT_TOO)], workspace: WorkspaceDep
) -> Mapping[str, Any]:
    """Registers a bucket."""
    bucket = request["root_bucket_info"].get("bucket_name", "")
    _check("root_bucket_info.bucket_name", bucket, r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "example-bucket")
    return STORAGE.create(workspace, request)


@router.get(f"{ACCOUNT}/storage-configurations")
def list_storage(workspace: WorkspaceDep) -> Sequence[Mapping[str, Any]]:
    """Returns all registered buckets."""
    return STORAGE.all(workspace)


@router.get(f"{ACCOUNT}/storage-configurations/{{identifier}}")
def get_storage(identifier: str, workspace: WorkspaceDep) -> Mapping[str, Any]:
    """Returns a registered bucket."""
    return STORAGE.find(workspace, identifier)


@router.delete(f"{ACCOUNT}/storage-configurations/{{identifier}}")
def delete_storage(identifier: str, workspace: WorkspaceDep) -> Mapping[str, Any]:
    """Removes a bucket that no workspace uses."""
    return STORAGE.delete(workspace, identifier)


@router.post(f"{ACCOUNT}/networks", status_code=201)
def create_network(
    request: Annotated[Document, body(sdk.NetworksAPI.create, _ACCOUNT_TOO)], workspace: WorkspaceDep
) -> Document:
    """Registers a network; its VPC endpoints have to be registered."""
    if "gcp_network_info" in request:
        raise not_built("gcp_network_info of a network")
    for field in ("network_name", "vpc_id", "subnet_ids", "security_group_ids"):
        if not request.get(field):
            raise bad_request(f"missing field {field}")
    _check("vpc_id", request["vpc_id"], r"vpc-[0-9a-f]+", "vpc-0a1b")
    if len(set(request["subnet_ids"])) < _SUBNETS:
        raise bad_request(f"subnet_ids has {request['subnet_ids']}; a network has {_SUBNETS} subnets or more")
    if len(request["security_group_ids"]) > _GROUPS:
        raise bad_request(f"security_group_ids has {len(request['security_group_ids'])}; at most {_GROUPS} are allowed")
    for purpose in ("rest_api", "dataplane_relay"):
        for identifier in request.get("vpc_endpoints", {}).get(purpose, []):
            ENDPOINTS.find(workspace, identifier)
    return _shown_network(workspace, NETWORKS.create(workspace, request))


@router.get(f"{ACCOUNT}/networks")
def list_network(workspace: WorkspaceDep) -> list[Document]:
    """Returns all registered networks."""
    return [_shown_network(workspace, each) for each in NETWORKS.all(workspace)]


@router.get(f"{ACCOUNT}/networks/{{identifier}}")
def get_network(identifier: str, workspace: WorkspaceDep) -> Document:
    """Returns a registered network."""
    return _shown_network(workspace, NETWORKS.find(workspace, identifier))


@router.delete(f"{ACCOUNT}/networks/{{identifier}}")
def delete_network(identifier: str, workspace: WorkspaceDep) -> Mapping[str, Any]:
    """Removes a network that no workspace uses."""
    return NETWORKS.delete(workspace, identifier)


def _shown_network(workspace: Workspace, network: NetworkDocument) -> Document:
    """A network with the workspace that uses it."""
    users = [
        document["workspace_id"]
        for _, document in workspace.store.items(WORKSPACES)
        if document.get("network_id") == network["network_id"]
    ]
    state: Document = {"workspace_id": users[0], "vpc_status": "VALID"} if users else {"vpc_status": "UNATTACHED"}
    return {**network, **state}


@router.post(f"{ACCOUNT}/vpc-endpoints", status_code=201)
def create_endpoint(
    request: Annotated[Document, body(sdk.VpcEndpointsAPI.create, _ACCOUNT_TOO)], workspace: WorkspaceDep
) -> Document:
    """Registers a VPC endpoint; it becomes available a little later."""
    if "gcp_vpc_endpoint_info" in request:
        raise not_built("gcp_vpc_endpoint_info of a VPC endpoint")
    for field in ("vpc_endpoint_name", "aws_vpc_endpoint_id", "region"):
        if not request.get(field):
            raise bad_request(f"missing field {field}")
    _check("aws_vpc_endpoint_id", request["aws_vpc_endpoint_id"], r"vpce-[0-9a-f]+", "vpce-0a1b")
    return _shown_endpoint(ENDPOINTS.create(workspace, request))


@router.get(f"{ACCOUNT}/vpc-endpoints")
def list_endpoint(workspace: WorkspaceDep) -> list[Document]:
    """Returns all registered VPC endpoints."""
    return [_shown_endpoint(each) for each in ENDPOINTS.all(workspace)]


@router.get(f"{ACCOUNT}/vpc-endpoints/{{identifier}}")
def get_endpoint(identifier: str, workspace: WorkspaceDep) -> Document:
    """Returns a registered VPC endpoint."""
    return _shown_endpoint(ENDPOINTS.find(workspace, identifier))


@router.delete(f"{ACCOUNT}/vpc-endpoints/{{identifier}}")
def delete_endpoint(identifier: str, workspace: WorkspaceDep) -> Mapping[str, Any]:
    """Removes a VPC endpoint that nothing uses."""
    return ENDPOINTS.delete(workspace, identifier)


def _shown_endpoint(endpoint: EndpointDocument) -> Document:
    """A VPC endpoint with the state of its age."""
    ready = now_ms() - endpoint["creation_time"] >= _REGISTRATION_MS
    return {**endpoint, "use_case": "WORKSPACE_ACCESS", "state": "available" if ready else "pending"}


@router.post(f"{ACCOUNT}/customer-managed-keys", status_code=201)
def create_key(
    request: Annotated[Document, body(sdk.EncryptionKeysAPI.create, _ACCOUNT_TOO)], workspace: WorkspaceDep
) -> Mapping[str, Any]:
    """Registers a KMS key."""
    if "aws_key_info" not in request:
        raise not_built("a key that is not of AWS")
    arn = request["aws_key_info"]["key_arn"]
    _check(
        "aws_key_info.key_arn",
        arn,
        r"arn:aws:kms:[\w-]+:\d{12}:key/[\w-]+",
        "arn:aws:kms:eu-west-1:123456789012:key/id",
    )
    info = request["aws_key_info"] | {"key_region": arn.split(":")[3]}
    return KEYS.create(workspace, {"use_cases": request["use_cases"], "aws_key_info": info, "account_id": ACCOUNT_ID})


@router.get(f"{ACCOUNT}/customer-managed-keys")
def list_key(workspace: WorkspaceDep) -> Sequence[Mapping[str, Any]]:
    """Returns all registered keys."""
    return KEYS.all(workspace)


@router.get(f"{ACCOUNT}/customer-managed-keys/{{identifier}}")
def get_key(identifier: str, workspace: WorkspaceDep) -> Mapping[str, Any]:
    """Returns a registered key."""
    return KEYS.find(workspace, identifier)


@router.delete(f"{ACCOUNT}/customer-managed-keys/{{identifier}}")
def delete_key(identifier: str, workspace: WorkspaceDep) -> Mapping[str, Any]:
    """Removes a key that no workspace uses."""
    return KEYS.delete(workspace, identifier)
