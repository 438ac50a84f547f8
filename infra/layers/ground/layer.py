"""Deploys the layer of the ground: made in AWS, given by the stack's own settings, or read from another stack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING

import pulumi
import pulumi_databricks as databricks

from infra.errors import NoKafkaError, WrongWorkspaceError
from infra.layers.ground.environment import Environment
from infra.layers.ground.outputs import GroundOutputs
from infra.layers.ground.workspace import Workspace, WorkspaceArgs
from infra.quick_import import quick_import

if TYPE_CHECKING:
    from infra.written.settings.aws import Aws
    from infra.written.settings.databricks_workspace import MadeWorkspace
    from infra.written.settings.ground import Ground
    from infra.written.settings.stack import Settings


def deploy_ground(settings: Settings, ground: Ground) -> GroundOutputs:
    """Deploys the ground of a stack. No other place reads the outputs of another stack.

    Args:
        settings: All settings of the stack.
        ground: Its section `ground`.
    """
    if ground.stack is not None:
        other, name = pulumi.StackReference(ground.stack), ground.stack
        read = GroundOutputs(**{field.name: other.get_output(field.name) for field in fields(GroundOutputs)})
        if not ground.kafka:
            return read
        arns = other.get_output("role_arns").apply(lambda received: _check_kafka(received, name))
        return replace(read, role_arns=arns)
    if ground.aws is None:
        return GroundOutputs(ground.storage_root)
    with quick_import():  # late: the SDK of AWS costs seconds, which a stack without this part does not pay
        from infra.layers.ground.aws_ground import deploy_aws
    made = deploy_aws(settings.stack, ground.aws, settings.tags, ground.protect_data)
    return _with_workspace(settings, ground.aws, ground.workspace, made) if ground.workspace else made


def _with_workspace(settings: Settings, aws: Aws, workspace: MadeWorkspace, outputs: GroundOutputs) -> GroundOutputs:
    """Makes the workspace on what was made in AWS."""
    account_id = str(aws.databricks_account_id)
    provider = databricks.Provider("account-of-workspace", host=workspace.console, account_id=account_id)
    environment = Environment(aws.account_id, aws.region, settings.stack)
    made = Workspace(
        "databricks-workspace",
        WorkspaceArgs(
            account_id=account_id,
            region=aws.region,
            prefix=environment.prefix,
            ground=outputs,
            kafka_services=outputs.kafka_services if isinstance(outputs.kafka_services, Sequence) else (),
            private=bool(aws.network and aws.network.control_plane),
            public_access=workspace.public_access,
            metastore_id=str(workspace.metastore_id),
            network_policy=workspace.network_policy,
            deployer=workspace.deployer,
            metastore_group=workspace.metastore_group,
            tags=settings.tags,
            protect=not settings.ground or settings.ground.protect_data,
        ),
        pulumi.ResourceOptions(providers=[provider]),
    )
    host = made.host
    if settings.platform:
        wanted = settings.platform.workspace.host
        host = made.host.apply(lambda received: _check_host(received, wanted))
    return replace(outputs, workspace_host=host, workspace_id=made.workspace_id)


def _check_kafka(role_arns: dict[str, str], stack: str) -> dict[str, str]:
    """Requires that the ground of another stack has a role for clients of Kafka."""
    if "kafka_client" not in role_arns:
        raise NoKafkaError(
            f"churn:ground.kafka: received true; the ground of {stack} has no Kafka; "
            "remedy: add churn:ground.aws.kafka there and deploy it, or remove this setting"
        )
    return role_arns


def _check_host(made: str, wanted: str) -> str:
    """Requires that the platform goes to the workspace that its ground has made."""
    if made != wanted:
        raise WrongWorkspaceError(
            f"churn:platform.workspace.host: received {wanted}; the workspace of this ground is {made}; "
            "remedy: write its host, or remove churn:platform until the workspace is made"
        )
    return made
