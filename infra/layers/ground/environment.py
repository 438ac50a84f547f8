"""The AWS account and region of a stack, and the names that its objects have there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Environment:
    """Where a stack stands in AWS.

    Attributes:
        account_id: Id of the AWS account, 12 digits.
        region: Region of everything, such as `eu-west-1`.
        stack: Name of the Pulumi stack.
    """

    account_id: str
    region: str
    stack: str

    @property
    def prefix(self) -> str:
        """Beginning of every name: `churn-<stack>`; S3 allows no underscore in a bucket's name."""
        return f"churn-{self.stack.replace('_', '-')}"

    def name(self, purpose: str) -> str:
        """Name of an object, such as `churn-prod-alarms`; AWS has no underscore in some kinds of names."""
        return f"{self.prefix}-{purpose.replace('_', '-')}"

    def bucket(self, purpose: str) -> str:
        """Name of a bucket; the account's id makes it unique among those of all customers of AWS."""
        return f"{self.prefix}-{purpose}-{self.account_id}"

    def arn(self, service: str, resource: str) -> str:
        """ARN of an object of the account in the region."""
        return f"arn:aws:{service}:{self.region}:{self.account_id}:{resource}"

    def role_arn(self, name: str) -> str:
        """ARN of a role of the account."""
        return f"arn:aws:iam::{self.account_id}:role/{name}"

    @property
    def root_arn(self) -> str:
        """ARN of the account itself, by which a policy leaves a decision to the account's IAM."""
        return f"arn:aws:iam::{self.account_id}:root"
