"""What the local stack sets for each Spark session: tests of Spark are about data as small as its own."""

from __future__ import annotations

from infra.written.stacks import read_settings
from local.settings import REPOSITORY

PLATFORM = read_settings(REPOSITORY / "Pulumi.local.yaml").platform
assert PLATFORM is not None
SMALL_DATA = PLATFORM.compute.spark_conf
