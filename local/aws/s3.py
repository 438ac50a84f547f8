"""What moto's S3 reads wrongly, in the place of its own reading."""

from __future__ import annotations

import json
from typing import Any

from moto.s3 import models

LOGGING = "logging.s3.amazonaws.com"


def serve() -> None:
    """Puts this reading of bucket policies in the place of moto's, which knows one form of each statement alone."""
    models.FakeBucket._log_permissions_enabled_policy = staticmethod(may_log)  # type: ignore[method-assign]  # noqa: SLF001 (moto asks by this name)


def may_log(target_bucket: Any, target_prefix: str | None) -> bool:
    """Whether a bucket's policy lets S3 write access logs below a prefix; actions and resources may be lists.

    Args:
        target_bucket: The bucket of the logs.
        target_prefix: Beginning of the keys of the logs.
    """
    statements = json.loads(target_bucket.policy or "{}").get("Statement", [])
    below = f"arn:aws:s3:::{target_bucket.name}/{target_prefix or ''}"
    return any(
        statement["Effect"] == "Allow"
        and isinstance(statement.get("Principal"), dict)
        and LOGGING in _listed(statement["Principal"].get("Service"))
        and "s3:PutObject" in _listed(statement.get("Action"))
        and any(each.endswith("*") and below.startswith(each[:-1]) for each in _listed(statement.get("Resource")))
        for statement in statements
    )


def _listed(value: str | list[str] | None) -> list[str]:
    return [value] if isinstance(value, str) else value or []
