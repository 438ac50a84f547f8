"""SQL statements: the Statement Execution API over Spark."""

from local.workspace.sql.routes import router, start, stop

__all__ = ["router", "start", "stop"]
