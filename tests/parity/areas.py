"""Areas of the local cloud's capabilities, and the routes of the local workspace in each."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.settings import LocalSettings
from local.workspace.app import create_app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi.routing import APIRoute


@dataclass(frozen=True)
class Area:
    """One group of capabilities.

    Attributes:
        key: Its name in marks of tests and in stand-ins.
        title: Its heading.
        sources: Folders and modules whose routes and refusals belong to it; the longest path that fits counts.
    """

    key: str
    title: str
    sources: tuple[str, ...]


_WORKSPACE = "local/workspace"
AREAS = (
    Area("engine", "Pulumi engine and providers", ("local/engine",)),
    Area("api", "The workspace's API as a whole", (_WORKSPACE, f"{_WORKSPACE}/core")),
    Area("identity", "Identity and permissions", (f"{_WORKSPACE}/identity",)),
    Area("account", "The account's API", (f"{_WORKSPACE}/account",)),
    Area("secrets", "Secrets", (f"{_WORKSPACE}/secrets.py",)),
    Area("unity catalog", "Unity Catalog", (f"{_WORKSPACE}/unity_catalog",)),
    Area("files", "Files of volumes and of the workspace", (f"{_WORKSPACE}/files",)),
    Area("compute", "Clusters, cluster policies, SQL warehouses", (f"{_WORKSPACE}/compute",)),
    Area("spark", "Spark, Delta and Auto Loader", ("local/spark",)),
    Area("pipelines", "Declarative pipelines", (f"{_WORKSPACE}/pipelines", "local/spark/pipeline_registry.py")),
    Area("jobs", "Jobs", (f"{_WORKSPACE}/jobs", f"{_WORKSPACE}/programs")),
    Area("sql", "SQL statements", (f"{_WORKSPACE}/sql", f"{_WORKSPACE}/authorisation")),
    Area("lakebase", "Lakebase: projects of PostgreSQL", (f"{_WORKSPACE}/lakebase", "local/postgres")),
    Area("alerts", "Alerts of SQL", (f"{_WORKSPACE}/alerts",)),
    Area("mlflow", "MLflow: experiments, runs, registered models", (f"{_WORKSPACE}/mlflow",)),
    Area("serving", "Model serving", (f"{_WORKSPACE}/serving",)),
    Area("dashboards", "Dashboards and pages", (f"{_WORKSPACE}/dashboards", f"{_WORKSPACE}/home.py")),
    Area("aws", "AWS", ("local/aws",)),
    Area(
        "kafka", "Kafka: MSK and its brokers", ("local/aws/kafka", "local/aws/msk", "local/aws/provider/types/msk.py")
    ),
)


def area_of(path: str) -> Area:
    """Returns the area of a source.

    Args:
        path: Its path in the repository.

    Raises:
        LookupError: No area has it.
    """
    fitting = {
        len(source): area
        for area in AREAS
        for source in area.sources
        if path == source or (path.startswith(f"{source}/") and (source != _WORKSPACE or path.count("/") == 2))
    }
    if not fitting:
        raise LookupError(f"{path} belongs to no area of capabilities: name its folder in tests/parity/areas.py")
    return fitting[max(fitting)]


def routes() -> list[APIRoute]:
    """The routes of the local workspace, as its application has them."""
    with tempfile.TemporaryDirectory() as home:
        app = create_app(LocalSettings(Path(home)))
        app.state.workspace.store.close()
        return list(_walk(app))


def _walk(router: Any) -> Iterator[APIRoute]:
    for route in router.routes:
        if hasattr(route, "original_router"):  # a router that another one includes
            yield from _walk(route.original_router)
        elif hasattr(route, "endpoint") and hasattr(route, "methods"):
            yield route


def source_of(route: APIRoute) -> str:
    """Path in the repository of the module that has a route's function."""
    return route.endpoint.__module__.replace(".", "/") + ".py"
