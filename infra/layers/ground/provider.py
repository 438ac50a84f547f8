"""The provider of AWS, which gives everything its tags and deploys to one account alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi_aws as aws

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.layers.ground.environment import Environment

# Services that the ground calls, as the provider names their endpoints.
SERVICES = (
    "appautoscaling",
    "budgets",
    "cloudwatch",
    "ec2",
    "elbv2",
    "iam",
    "kafka",
    "kms",
    "logs",
    "s3",
    "sns",
    "sts",
)


def make_provider(environment: Environment, tags: Mapping[str, str], endpoint: str | None) -> aws.Provider:
    """The provider for a stack. Its credentials stay in the environment.

    Args:
        environment: The one account and the region that it deploys to; with credentials of another account it fails.
        tags: Tags that everything gets by default.
        endpoint: URL that answers instead of every service of AWS; None calls AWS.
    """
    elsewhere = endpoint is not None
    return aws.Provider(
        "aws",
        region=environment.region,
        allowed_account_ids=[environment.account_id],
        default_tags={"tags": dict(tags)},
        endpoints=[aws.ProviderEndpointArgs(**dict.fromkeys(SERVICES, endpoint))] if elsewhere else None,
        s3_use_path_style=True if elsewhere else None,
        skip_metadata_api_check=True if elsewhere else None,
    )
