"""The Spark settings of the local stack, which suit tests as well: their data is as small."""

from __future__ import annotations

from infra.written.stacks import check
from local.settings import REPOSITORY

SMALL_DATA = check(REPOSITORY / "Pulumi.local.yaml").compute.spark_conf
