"""Erasure of customers and retention: the scope of requests, the key of the hash, and the jobs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pulumi
import pulumi_databricks as databricks

from churn.core.erased import KEY
from infra.access.permissions import ObjectKind
from infra.layers.platform.job_tasks import ERASURE, RETENTION
from infra.layers.platform.jobs import Jobs
from infra.layers.platform.permit import permit
from infra.names import erasure_scope
from infra.once.mask_key import MaskKey, MaskKeyArgs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.context import Context
    from infra.layers.platform.jobs import JobsArgs
    from infra.layers.platform.stream import Stream


@dataclass(frozen=True)
class ErasureArgs:
    """Inputs of `Erasure`.

    Attributes:
        host: URL of the workspace.
        scope: Name of the secret scope.
        jobs: Inputs of the stack's jobs, which these share.
        online: How the online store is reached, by the names of the task's options; empty without a stream.
        protect: Whether to refuse to destroy the scope: by another key nobody knows who was erased.
    """

    host: str
    scope: str
    jobs: JobsArgs
    online: dict[str, pulumi.Input[str]]
    protect: bool


class Erasure(pulumi.ComponentResource):
    """Owns the secret scope of requests, the key of the hash, and the jobs that remove rows on purpose.

    Attributes:
        scope: Name of the scope, once it has the key.
        job_ids: Id of each job by name.
    """

    scope: pulumi.Output[str]
    job_ids: dict[str, pulumi.Output[str]]

    def __init__(self, name: str, args: ErasureArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares the parts."""
        super().__init__("churn:platform:Erasure", name, None, opts)
        scope = databricks.SecretScope(
            "erasure", name=args.scope, opts=pulumi.ResourceOptions(parent=self, protect=args.protect)
        )
        permit(self, "erasure", ObjectKind.ERASURE_SCOPE, scope.name, args.jobs.principals)
        key = MaskKey("erasure-key", MaskKeyArgs(args.host, scope.name, KEY), pulumi.ResourceOptions(parent=self))
        self.scope = key.scope
        nothing: dict[str, pulumi.Input[str]] = dict.fromkeys(("endpoint", "database", "sslmode"), "")
        values = {**args.jobs.values, **nothing, **args.online, "scope": self.scope}
        of_jobs = replace(args.jobs, specs=[ERASURE, RETENTION], values=values)
        self.job_ids = Jobs("erasure-jobs", of_jobs, pulumi.ResourceOptions(parent=self)).ids
        self.register_outputs({"scope": self.scope})


def deploy_erasure(
    context: Context, of_jobs: JobsArgs, stream: Stream | None, after: Sequence[pulumi.Resource]
) -> Erasure:
    """Deploys the erasure of customers.

    Args:
        context: What people wrote, and the provider of the workspace.
        of_jobs: Inputs of the stack's jobs.
        stream: The stream, which has the online store; None without one.
        after: What must exist before: what the jobs run on, and their rights.
    """
    settings, platform = context.settings, context.platform
    args = ErasureArgs(
        host=platform.workspace.host,
        scope=erasure_scope(settings.prefix),
        jobs=of_jobs,
        online=stream.reach if stream else {},
        protect=platform.protect_data,
    )
    return Erasure("erasure", args, context.after(*after))
