"""Documents of the store that the compute area keeps.

Each has, beside the fields named here, the other fields of the request that made it.
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from local.workspace.core.store import Document, DocumentKind

NODE_TYPES = (  # name, MiB, cores
    ("m7g.large", 8192, 2),
    ("m7g.xlarge", 16384, 4),
    ("m7g.2xlarge", 32768, 8),
    ("m6id.xlarge", 16384, 4),
    ("m6id.2xlarge", 32768, 8),
)
DBUS_PER_CORE = 0.25  # an hour; what Databricks lists for these types of nodes is near it


class PolicyDocument(TypedDict):
    """A cluster policy (kind `cluster_policies`, by its id)."""

    policy_id: str
    name: str
    definition: str  # JSON
    creator_user_name: str
    created_at_timestamp: int  # milliseconds


class ClusterDocument(TypedDict):
    """A cluster (kind `clusters`, by its id)."""

    cluster_id: str
    cluster_name: str
    cluster_source: Literal["API"]
    creator_user_name: str
    spark_version: str
    autotermination_minutes: int
    enable_elastic_disk: bool
    state: Literal["PENDING", "RUNNING", "TERMINATED"]
    state_message: str
    start_time: int  # milliseconds
    termination_reason: NotRequired[Document]


class WarehouseDocument(TypedDict):
    """A SQL warehouse (kind `warehouses`, by its id)."""

    id: str
    name: str
    creator_name: str
    state: Literal["RUNNING", "STOPPED"]
    cluster_size: str
    auto_stop_mins: int
    channel: Document
    enable_photon: bool
    enable_serverless_compute: bool
    max_num_clusters: int
    min_num_clusters: int
    spot_instance_policy: str
    warehouse_type: str


POLICIES = DocumentKind[PolicyDocument]("cluster_policies")
CLUSTERS = DocumentKind[ClusterDocument]("clusters")
WAREHOUSES = DocumentKind[WarehouseDocument]("warehouses")
