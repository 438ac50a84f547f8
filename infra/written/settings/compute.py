"""Sections `platform.compute` and `platform.warehouse`: compute of jobs, pipelines and statements."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from infra.written.sections import Section

SparkKey = Annotated[str, StringConstraints(pattern=r"^spark\.[\w.]+$")]


class Compute(Section):
    """Settings of the compute of jobs and pipelines."""

    serverless: bool = Field(description="true runs job tasks on serverless compute, false on one job cluster")
    spark_version: str = Field(min_length=1, description="Databricks runtime of the job cluster")
    node_type_id: str = Field(min_length=1, description="instance type of the job cluster's nodes")
    workers: int = Field(ge=1, le=64, description="worker nodes of the job cluster")
    dbus_per_hour: int = Field(
        ge=1, le=1000, description="DBU an hour that a cluster may take: of its nodes, by the prices of their type"
    )
    spark_conf: dict[SparkKey, str] = Field(
        default_factory=dict,
        description="settings of each Spark session by the size of its data, values quoted; pipelines always take "
        "them, jobs only on their cluster, not on serverless compute; empty leaves all to the engine",
    )


class WarehouseSize(StrEnum):
    """Sizes of a SQL warehouse as Databricks names them."""

    XX_SMALL = "2X-Small"
    X_SMALL = "X-Small"
    SMALL = "Small"
    MEDIUM = "Medium"
    LARGE = "Large"


class Warehouse(Section):
    """Settings of the SQL warehouse behind dashboards and statements."""

    size: WarehouseSize = Field(description="size of one cluster of the warehouse")
    maximum_clusters: int = Field(ge=1, le=40, description="clusters it may grow to")
    auto_stop_minutes: int = Field(
        ge=5, le=30, description="idle minutes after which it stops; the policy warehouses-stop allows no more than 30"
    )
