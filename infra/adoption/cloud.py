"""Clients of the clouds that a stack is deployed to, and the question whose an object is."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from databricks.sdk import AccountClient, WorkspaceClient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

Inputs = dict[str, Any]
ANOTHER = "whoever made it, with other contents"
MANAGING = ("CAN_MANAGE", "IS_OWNER")


@dataclass(frozen=True)
class Found:
    """An object that exists.

    Attributes:
        id: Its id, as the provider has it in the state.
        own: Whether the stack has made it.
        holder: Whose it is, for people; of others' objects.
        unsure: Whether nothing tells whose it is: it has no mark of anybody, and looks as the stack would make it.
        outputs: Outputs by which the provider finds it again, where its id does not say it.
        ready: Whether its making has ended.
    """

    id: str
    own: bool
    holder: str = ""
    ready: bool = True
    unsure: bool = False
    outputs: Mapping[str, str] = field(default_factory=dict)


if TYPE_CHECKING:
    Finder = Callable[["Cloud", Inputs], Iterable[Found]]


@dataclass(frozen=True)
class Row:
    """How an object of one type is found again.

    Attributes:
        find: Finds objects by the inputs of a resource; None where `again` says why nothing has to be found.
        again: Why a second creation makes nothing twice.
        unique: Whether two objects cannot have the same name; where they can, surplus ones are looked for.
        kept: Whether an object that is found can be used; if not, it is deleted and made anew.
    """

    find: Finder | None = None
    again: str = ""
    unique: bool = True
    kept: bool = True


@dataclass(frozen=True)
class Deployer:
    """By whom the stack's own objects are known.

    Attributes:
        names: Whoever runs the engine, the deployer of the settings, and the platform's group.
        account_id: Databricks account of the workspace; None for a stack without a platform.
    """

    names: frozenset[str]
    account_id: str | None


@dataclass(frozen=True)
class Cloud:
    """The cloud behind one provider of a stack.

    Attributes:
        settings: Inputs of the provider, as the state has them.
        deployer: By whom the stack's own objects are known.
    """

    settings: Mapping[str, Any]
    deployer: Deployer
    _clients: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def workspace(self) -> WorkspaceClient:
        """Client of the workspace, with the credentials of the environment."""
        return WorkspaceClient(host=self.settings["host"])

    @cached_property
    def account(self) -> AccountClient:
        """Client of the Databricks account, with the credentials of the environment."""
        return AccountClient(host=self.settings["host"], account_id=self.account_id)

    @property
    def account_id(self) -> str:
        """Id of the Databricks account."""
        return str(self.settings["accountId"])

    @cached_property
    def own(self) -> frozenset[str]:
        """Names by which the stack's own objects are known; those of users ignore case."""
        config = (self.account if "accountId" in self.settings else self.workspace).config
        me = {config.client_id, config.username, self.settings.get("clientId")}
        if "accountId" not in self.settings:
            me.add(self.workspace.current_user.me().user_name)
        return frozenset(name.casefold() for name in me | self.deployer.names if name)

    def judged(self, id_: str, holders: Iterable[str | None], inputs: Inputs, *, ready: bool = True) -> Found:
        """An object with who holds it: the stack's own if that is the stack, or whom the plan makes its owner."""
        held = sorted({holder for holder in holders if holder})
        own = self.own | {str(inputs.get("owner", "")).casefold()}
        return Found(id_, any(name.casefold() in own for name in held), ", ".join(held), ready)

    def managers(self, kind: str, id_: str) -> list[str]:
        """Principals that manage an object of the workspace, administrators by their nature left out."""
        entries = self.workspace.permissions.get(kind, id_).access_control_list or []
        return [
            entry.user_name or entry.group_name or entry.service_principal_name or ""
            for entry in entries
            for permission in entry.all_permissions or []
            if permission.permission_level and permission.permission_level.value in MANAGING
            if not permission.inherited
        ]

    def aws(self, service: str) -> Any:
        """A client of a service of AWS, with the credentials of the environment."""
        import boto3  # a third of a second that stacks without AWS need not wait for

        if service not in self._clients:
            endpoints = json.loads(self.settings.get("endpoints") or "[]")
            url = next((block.get(service) for block in endpoints), None)
            self._clients[service] = boto3.client(service, region_name=self.settings["region"], endpoint_url=url)
        return self._clients[service]

    def pages(self, service: str, call: str, key: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """All that a call of AWS lists."""
        client = self.aws(service)
        if client.can_paginate(call):
            for page in client.get_paginator(call).paginate(**parameters):
                yield from page[key]
        else:
            yield from getattr(client, call)(**parameters)[key]

    def tags(self, inputs: Inputs) -> dict[str, str]:
        """Tags that an object of AWS has: the stack's and its own."""
        defaults = json.loads(self.settings.get("defaultTags") or "{}").get("tags") or {}
        return {**defaults, **(inputs.get("tags") or {})}


def compared(id_: str, same: bool, *, ready: bool = True) -> Found:
    """An object without an owner: one that holds what the stack would make may be the stack's, others are not.

    Args:
        id_: Its id, as the provider has it in the state.
        same: Whether it holds what the stack would make.
        ready: Whether its making has ended.
    """
    return Found(id_, own=False, holder="nobody knows whom" if same else ANOTHER, ready=ready, unsure=same)


def snake(value: Any) -> Any:
    """Inputs with their names as the API has them: `networkAccess` is `network_access`."""
    if isinstance(value, dict):
        return {re.sub(r"(?<!^)(?=[A-Z])", "_", key).lower(): snake(each) for key, each in value.items()}
    return [snake(each) for each in value] if isinstance(value, list) else value
