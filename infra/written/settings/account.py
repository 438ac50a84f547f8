"""Section `account`: the layer of the account, deployed once for all its workspaces with the account's rights."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from infra.written.sections import Section
from infra.written.settings.values import BucketName, Email, GroupName, Host, Region

ALERTS = 4  # of a budget at most
Domain = Annotated[str, StringConstraints(pattern=r"^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+$")]
PolicyName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{2,49}$")]
WorkspaceNumber = Annotated[int, Field(gt=0)]


class Console(Section):
    """Settings of the account's own API, which has the groups that Unity Catalog knows."""

    host: Host = Field(description="URL of the account console, https unless it is on this machine")
    account_id: UUID = Field(description="id of the Databricks account")


class Metastore(Section):
    """A metastore that this stack makes, without a storage root: each catalog brings its own."""

    name: str = Field(pattern=r"^[\w-]+$", max_length=255, description="name of the metastore")
    region: Region = Field(description="region of the metastore and of its workspaces, such as eu-west-1")


class Bucket(Section):
    """A bucket that serverless compute reaches."""

    name: BucketName = Field(description="name of the bucket")
    region: Region = Field(description="its region")


class NetworkPolicy(Section):
    """What serverless compute may reach; everything else is refused."""

    name: PolicyName = Field(description="id of the policy, by which a workspace names it")
    domains: tuple[Domain, ...] = Field(default=(), description="domains on the internet, such as pypi.org")
    buckets: tuple[Bucket, ...] = Field(
        default=(), description="buckets besides those that Unity Catalog's external locations lie in"
    )
    workspaces: tuple[WorkspaceNumber, ...] = Field(
        default=(),
        description="numbers of workspaces that exist and get the policy, such as that of dev; one that a ground makes "
        "is given it there",
    )
    enforced: bool = Field(description="true refuses other destinations; false only logs what would be refused")


class Budget(Section):
    """A budget over everything in the account, which notifies and stops nothing."""

    alerts_usd_per_month: tuple[Annotated[int, Field(ge=1, le=10_000_000)], ...] = Field(
        min_length=1, max_length=ALERTS, description="US dollars of a month, at list price, at which to notify"
    )
    notify: tuple[Email, ...] = Field(min_length=1, max_length=10, description="e-mail addresses that are notified")


class Account(Section):
    """Settings of the account layer."""

    console: Console | None = Field(
        default=None,
        description="the account's API; null only where the workspace itself keeps the groups, as the local one does",
    )
    metastore: Metastore | None = Field(default=None, description="the metastore that is made; null makes none")
    metastore_id: UUID | None = Field(
        default=None,
        description="id of the metastore, which is adopted and must be the one there is; null takes that one",
    )
    groups: tuple[GroupName, ...] = Field(
        default=(),
        description="display names of the groups that this stack makes, where no identity provider has made them",
    )
    members: dict[GroupName, tuple[str, ...]] = Field(
        default_factory=dict,
        description="user names and application ids that this stack puts into its groups, by group: deployers into the "
        "platform's",
    )
    existing_groups: tuple[GroupName, ...] = Field(
        default=(),
        description="display names of groups that an identity provider has made; each must be there",
    )
    tags_workspace: Host | None = Field(
        default=None,
        description="URL of any workspace of the account, through which tags are governed; null takes the stack's own, "
        "and governs none before the first workspace",
    )
    network_policy: NetworkPolicy | None = Field(
        default=None, description="what serverless compute may reach; null leaves the account's default policy"
    )
    budget: Budget | None = Field(default=None, description="the budget of the account; null makes none")
    protect_data: bool = Field(
        description="true refuses to destroy groups, whose members would be lost, and the metastore"
    )
