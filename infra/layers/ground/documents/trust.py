"""Trust policies: who may take on a role."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.layers.ground.documents.document import (
    DATABRICKS_ROOT,
    UNITY_CATALOG_ROLE,
    Statement,
    allow,
)

if TYPE_CHECKING:
    from infra.layers.ground.environment import Environment

GITHUB_ISSUER = "token.actions.githubusercontent.com"
ASSUME = ("sts:AssumeRole",)


def trust_control_plane(databricks_account_id: str) -> list[Statement]:
    """Databricks' control plane, for the one Databricks account of the external id."""
    external = {"StringEquals": {"sts:ExternalId": databricks_account_id}}
    return [allow("ControlPlane", ASSUME, principal={"AWS": DATABRICKS_ROOT}, condition=external)]


def trust_unity_catalog(environment: Environment, role: str, databricks_account_id: str) -> list[Statement]:
    """Unity Catalog and the role itself, which Databricks asks of the roles behind credentials.

    The second statement names the account and narrows it to the role by a condition, since a policy must not name a
    role that does not exist yet.

    Args:
        environment: Where the role is.
        role: Name of the role.
        databricks_account_id: The external id.
    """
    external = {"sts:ExternalId": databricks_account_id}
    itself = {"aws:PrincipalArn": environment.role_arn(role)}
    return [
        allow("UnityCatalog", ASSUME, principal={"AWS": UNITY_CATALOG_ROLE}, condition={"StringEquals": external}),
        allow(
            "Itself",
            ASSUME,
            principal={"AWS": environment.root_arn},
            condition={"StringEquals": external, "ArnEquals": itself},
        ),
    ]


def trust_github(provider_arn: str, subject: str) -> list[Statement]:
    """GitHub Actions by OIDC: no key is stored anywhere.

    Args:
        provider_arn: ARN of the account's OpenID Connect provider of GitHub.
        subject: The one subject that is let in, such as `repo:example/churn:environment:prod`.
    """
    claims = {f"{GITHUB_ISSUER}:aud": "sts.amazonaws.com", f"{GITHUB_ISSUER}:sub": subject}
    return [
        allow(
            "GitHubActions",
            ("sts:AssumeRoleWithWebIdentity",),
            principal={"Federated": provider_arn},
            condition={"StringEquals": claims},
        )
    ]
