"""Clusters: each is a name for the one Spark Connect server, and runs while that server answers."""

import threading
import time
import uuid
from typing import Annotated

from databricks.sdk.service import compute as sdk
from fastapi import APIRouter, Request

from local.workspace.compute import policy_rules
from local.workspace.compute.documents import CLUSTERS, NODE_TYPES, ClusterDocument
from local.workspace.core.clock import now_ms
from local.workspace.core.context import Caller, Workspace, WorkspaceDep
from local.workspace.core.errors import ApiError, bad_request, not_built
from local.workspace.core.paging import page
from local.workspace.core.requests import body
from local.workspace.core.store import Document

router = APIRouter()
_API = "/api/2.1/clusters"

START_SECONDS = 120
# Runtimes by key; a request may name any other, since there is one Spark for all.
SPARK_VERSIONS = {
    "18.0.x-scala2.13": "18.0 (includes Apache Spark 4.2.0, Scala 2.13)",
    "17.3.x-scala2.13": "17.3 LTS (includes Apache Spark 4.0.0, Scala 2.13)",
}
_PAGE = 100  # clusters of a page at most
_GENERATED = ("cluster_id", "creator_user_name", "start_time", "state", "state_message", "cluster_source")


def start(workspace: Workspace) -> None:
    """Starts again the clusters that ran when the workspace stopped."""
    for cluster_id, cluster in workspace.store.items(CLUSTERS):
        if cluster["state"] in ("PENDING", "RUNNING"):
            _start(workspace, cluster_id, cluster)


def _find(workspace: Workspace, cluster_id: str) -> ClusterDocument:
    return workspace.find(CLUSTERS, cluster_id, f"Cluster {cluster_id} does not exist")


def _checked(workspace: Workspace, request: Document) -> Document:
    """A cluster's settings; raises a 400 or 501 that names the field."""
    if "clone_from" in request:
        raise not_built("clone_from of a cluster")
    request = policy_rules.enforced(workspace, request, "all-purpose")
    if "num_workers" in request and "autoscale" in request:
        raise bad_request("give either num_workers or autoscale")
    size = {} if "autoscale" in request else {"num_workers": 0}
    node = {} if "node_type_id" not in request else {"driver_node_type_id": request["node_type_id"]}
    return {"cluster_name": "", "autotermination_minutes": 60, "enable_elastic_disk": False, **size, **node, **request}


def _start(workspace: Workspace, cluster_id: str, cluster: ClusterDocument) -> None:
    """Starts a cluster: it runs as soon as Spark answers, and ends if that takes longer than `START_SECONDS`."""
    cluster |= {"state": "PENDING", "state_message": "Waiting for Spark", "start_time": now_ms()}
    cluster.pop("termination_reason", None)
    workspace.store.put(CLUSTERS, cluster_id, cluster)
    threading.Thread(target=_follow, args=[workspace, cluster_id], name=f"cluster {cluster_id}", daemon=True).start()


def _follow(workspace: Workspace, cluster_id: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        message = ""
        try:
            workspace.spark.session()
        except ApiError as error:
            message = error.message
        with workspace.store.transaction():
            cluster = workspace.store.get(CLUSTERS, cluster_id)
            if cluster is None or cluster["state"] != "PENDING":
                return
            if not message:
                cluster |= {"state": "RUNNING", "state_message": ""}
            elif time.monotonic() > deadline:
                reason = {"code": "SPARK_STARTUP_FAILURE", "type": "SERVICE_FAULT", "parameters": {"error": message}}
                cluster |= {"state": "TERMINATED", "state_message": message, "termination_reason": reason}
            workspace.store.put(CLUSTERS, cluster_id, cluster)
            if cluster["state"] != "PENDING":
                return
        time.sleep(1)


@router.post(f"{_API}/create")
def create(
    request: Annotated[Document, body(sdk.ClustersAPI.create)], workspace: WorkspaceDep, caller: Caller
) -> Document:
    """Creates a cluster."""
    cluster_id = time.strftime("%m%d-%H%M%S-", time.gmtime()) + uuid.uuid4().hex[:8]
    generated = {"cluster_id": cluster_id, "creator_user_name": caller.name, "cluster_source": "API"}
    _start(workspace, cluster_id, CLUSTERS.document(_checked(workspace, request) | generated))
    return {"cluster_id": cluster_id}


@router.get(f"{_API}/get")
def get(cluster_id: str, workspace: WorkspaceDep) -> Document:
    """Returns a cluster."""
    return {**_find(workspace, cluster_id)}


@router.get(f"{_API}/list")
def list_clusters(request: Request, workspace: WorkspaceDep, page_size: int = 20, page_token: str = "") -> Document:
    """Returns all clusters."""
    filters = {name: value for name, value in request.query_params.items() if name.startswith("filter_by.")}
    pinned = filters.pop("filter_by.is_pinned", "false") == "true"
    if filters:
        raise not_built(f"{min(filters)} of a list of clusters")
    # No cluster of the local workspace is ever pinned.
    clusters = [] if pinned else [cluster for _, cluster in workspace.store.items(CLUSTERS)]
    return page(clusters, "clusters", page_size, page_token, most=_PAGE)


@router.post(f"{_API}/edit")
def edit(request: Annotated[Document, body(sdk.ClustersAPI.edit)], workspace: WorkspaceDep) -> Document:
    """Changes a cluster."""
    old = _find(workspace, request["cluster_id"])
    if old["state"] not in ("RUNNING", "TERMINATED"):
        message = (
            f"cluster {request['cluster_id']} is {old['state']}; only one that is RUNNING or TERMINATED can be edited"
        )
        raise bad_request(message, "INVALID_STATE")
    kept = {name: value for name, value in old.items() if name in _GENERATED}
    cluster = CLUSTERS.document(_checked(workspace, request) | kept)
    if old["state"] == "RUNNING":
        _start(workspace, request["cluster_id"], cluster)
    else:
        workspace.store.put(CLUSTERS, request["cluster_id"], cluster)
    return {}


@router.post(f"{_API}/start")
def start_cluster(request: Annotated[Document, body(sdk.ClustersAPI.start)], workspace: WorkspaceDep) -> Document:
    """Starts a cluster that is terminated."""
    cluster = _find(workspace, request["cluster_id"])
    if cluster["state"] != "TERMINATED":
        message = f"Cluster {request['cluster_id']} is in unexpected state {cluster['state']}."
        raise bad_request(message, "INVALID_STATE")
    _start(workspace, request["cluster_id"], cluster)
    return {}


@router.post(f"{_API}/delete")
def terminate(request: Annotated[Document, body(sdk.ClustersAPI.delete)], workspace: WorkspaceDep) -> Document:
    """Ends a cluster's context; its settings stay."""
    with workspace.store.transaction():
        cluster = _find(workspace, request["cluster_id"])
        reason = {"code": "USER_REQUEST", "type": "SUCCESS"}
        cluster |= {"state": "TERMINATED", "state_message": "", "termination_reason": reason}
        workspace.store.put(CLUSTERS, request["cluster_id"], cluster)
    return {}


@router.post(f"{_API}/permanent-delete")
def delete(request: Annotated[Document, body(sdk.ClustersAPI.permanent_delete)], workspace: WorkspaceDep) -> Document:
    """Deletes a cluster."""
    _find(workspace, request["cluster_id"])
    workspace.store.delete(CLUSTERS, request["cluster_id"])
    return {}


@router.get(f"{_API}/spark-versions")
def spark_versions() -> Document:
    """Returns the Databricks Runtime versions."""
    return {"versions": [{"key": key, "name": name} for key, name in SPARK_VERSIONS.items()]}


@router.get(f"{_API}/list-node-types")
def node_types() -> Document:
    """Returns the types of nodes."""
    return {
        "node_types": [
            {
                "node_type_id": name,
                "instance_type_id": name,
                "memory_mb": memory,
                "num_cores": cores,
                "description": name,
                "category": "General Purpose",
            }
            for name, memory, cores in NODE_TYPES
        ]
    }
