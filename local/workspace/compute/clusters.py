"""Clusters: each is a context on the one Spark Connect server, and runs when that answers."""

import threading
import time
import uuid
from typing import Annotated, Any

from databricks.sdk.service import compute as sdk
from fastapi import APIRouter, Depends, Request

from local.workspace.core.context import Caller, Here, Workspace
from local.workspace.core.errors import ApiError, bad_request, not_found
from local.workspace.core.paging import page
from local.workspace.core.requests import body
from local.workspace.core.store import Document

router = APIRouter()
_API = "/api/2.1/clusters"

START_SECONDS = 120
SPARK_VERSION = "18.0.x-scala2.13"  # the first runtime with Spark 4.2's API here; any that is asked for is taken
NODE_TYPES = (("m7g.large", 8192, 2), ("m7g.xlarge", 16384, 4), ("m7g.2xlarge", 32768, 8))  # name, MiB, cores
_GENERATED = ("cluster_id", "creator_user_name", "start_time", "state", "state_message", "cluster_source")


def start(here: Workspace) -> None:
    for cluster_id, cluster in here.store.items("clusters"):
        if cluster["state"] in ("PENDING", "RUNNING"):
            _start(here, cluster_id, cluster)


def _find(here: Workspace, cluster_id: str) -> Document:
    cluster = here.store.get("clusters", cluster_id)
    if cluster is None:
        raise not_found(f"Cluster {cluster_id} does not exist")
    return cluster


def _checked(here: Workspace, sent: Document) -> Document:
    """A cluster's settings; raises a 400 or 501 that names the field."""
    if "clone_from" in sent:
        raise ApiError(501, "NOT_IMPLEMENTED", "clone_from of a cluster is not part of the local workspace")
    if "policy_id" in sent and here.store.get("cluster_policies", sent["policy_id"]) is None:
        raise bad_request(f"policy_id: there is no cluster policy {sent['policy_id']!r}")
    if "num_workers" in sent and "autoscale" in sent:
        raise bad_request("give either num_workers or autoscale")
    size = {} if "autoscale" in sent else {"num_workers": 0}
    node = {} if "node_type_id" not in sent else {"driver_node_type_id": sent["node_type_id"]}
    return {"cluster_name": "", "autotermination_minutes": 60, "enable_elastic_disk": False, **size, **node, **sent}


def _start(here: Workspace, cluster_id: str, cluster: Document) -> None:
    """Makes a cluster run as soon as Spark answers, or ends it if that takes too long."""
    cluster |= {"state": "PENDING", "state_message": "Waiting for Spark", "start_time": int(time.time() * 1000)}
    cluster.pop("termination_reason", None)
    here.store.put("clusters", cluster_id, cluster)
    threading.Thread(target=_follow, args=[here, cluster_id], name=f"cluster {cluster_id}", daemon=True).start()


def _follow(here: Workspace, cluster_id: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        message = ""
        try:
            here.spark.session()
        except ApiError as error:
            message = error.message
        with here.store.transaction():
            cluster = here.store.get("clusters", cluster_id)
            if cluster is None or cluster["state"] != "PENDING":
                return
            if not message:
                cluster |= {"state": "RUNNING", "state_message": ""}
            elif time.monotonic() > deadline:
                reason = {"code": "SPARK_STARTUP_FAILURE", "type": "SERVICE_FAULT", "parameters": {"error": message}}
                cluster |= {"state": "TERMINATED", "state_message": message, "termination_reason": reason}
            here.store.put("clusters", cluster_id, cluster)
            if cluster["state"] != "PENDING":
                return
        time.sleep(1)


@router.post(f"{_API}/create")
def create(
    sent: Annotated[dict[str, Any], Depends(body(sdk.ClustersAPI.create))], here: Here, caller: Caller
) -> Document:
    cluster_id = time.strftime("%m%d-%H%M%S-", time.gmtime()) + uuid.uuid4().hex[:8]
    given = {"cluster_id": cluster_id, "creator_user_name": caller.name, "cluster_source": "API"}
    _start(here, cluster_id, _checked(here, sent) | given)
    return {"cluster_id": cluster_id}


@router.get(f"{_API}/get")
def get(cluster_id: str, here: Here) -> Document:
    return _find(here, cluster_id)


@router.get(f"{_API}/list")
def list_clusters(request: Request, here: Here, page_size: int = 20, page_token: str = "") -> Document:
    wanted = {name: value for name, value in request.query_params.items() if name.startswith("filter_by.")}
    pinned = wanted.pop("filter_by.is_pinned", "false") == "true"
    if wanted:
        raise ApiError(501, "NOT_IMPLEMENTED", f"{min(wanted)} is not part of the local workspace")
    found = [] if pinned else [cluster for _, cluster in here.store.items("clusters")]  # none is ever pinned here
    return page(found, "clusters", page_size, page_token)


@router.post(f"{_API}/edit")
def edit(sent: Annotated[dict[str, Any], Depends(body(sdk.ClustersAPI.edit))], here: Here) -> Document:
    old = _find(here, sent["cluster_id"])
    if old["state"] not in ("RUNNING", "TERMINATED"):
        message = (
            f"cluster {sent['cluster_id']} is {old['state']}; only one that is RUNNING or TERMINATED can be edited"
        )
        raise bad_request(message, "INVALID_STATE")
    cluster = _checked(here, sent) | {name: old[name] for name in _GENERATED if name in old}
    if old["state"] == "RUNNING":
        _start(here, sent["cluster_id"], cluster)
    else:
        here.store.put("clusters", sent["cluster_id"], cluster)
    return {}


@router.post(f"{_API}/start")
def start_cluster(sent: Annotated[dict[str, Any], Depends(body(sdk.ClustersAPI.start))], here: Here) -> Document:
    cluster = _find(here, sent["cluster_id"])
    if cluster["state"] != "TERMINATED":
        message = f"Cluster {sent['cluster_id']} is in unexpected state {cluster['state']}."
        raise bad_request(message, "INVALID_STATE")
    _start(here, sent["cluster_id"], cluster)
    return {}


@router.post(f"{_API}/delete")
def terminate(sent: Annotated[dict[str, Any], Depends(body(sdk.ClustersAPI.delete))], here: Here) -> Document:
    """Ends a cluster's context; its settings stay."""
    with here.store.transaction():
        cluster = _find(here, sent["cluster_id"])
        reason = {"code": "USER_REQUEST", "type": "SUCCESS"}
        cluster |= {"state": "TERMINATED", "state_message": "", "termination_reason": reason}
        here.store.put("clusters", sent["cluster_id"], cluster)
    return {}


@router.post(f"{_API}/permanent-delete")
def delete(sent: Annotated[dict[str, Any], Depends(body(sdk.ClustersAPI.permanent_delete))], here: Here) -> Document:
    _find(here, sent["cluster_id"])
    here.store.delete("clusters", sent["cluster_id"])
    return {}


@router.get(f"{_API}/spark-versions")
def spark_versions() -> Document:
    return {"versions": [{"key": SPARK_VERSION, "name": "18.0 (includes Apache Spark 4.2.0, Scala 2.13)"}]}


@router.get(f"{_API}/list-node-types")
def node_types() -> Document:
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
