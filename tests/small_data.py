"""What the local stack sets for each Spark session: tests of Spark are about data as small as its own."""

from __future__ import annotations

from infra.written.stacks import check
from local.settings import REPOSITORY

SMALL_DATA = check(REPOSITORY / "Pulumi.local.yaml").compute.spark_conf
