"""The real Pulumi engine and Databricks provider on this machine, wherever they can be had from."""

from local.engine.environment import engine_environment
from local.engine.installation import EngineError, install

__all__ = ["EngineError", "engine_environment", "install"]
