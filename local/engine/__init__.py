"""The real Pulumi engine and Databricks provider on this machine, from a release or a build."""

from local.engine.environment import engine_environment
from local.engine.installation import install

__all__ = ["engine_environment", "install"]
