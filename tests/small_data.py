"""The Spark settings of the local stack, which suit tests as well: their data is as small."""

from __future__ import annotations

from infra.written.stacks import read_settings
from local.settings import REPOSITORY

PLATFORM = read_settings(REPOSITORY / "Pulumi.local.yaml").platform
assert PLATFORM is not None
SMALL_DATA = PLATFORM.compute.spark_conf
