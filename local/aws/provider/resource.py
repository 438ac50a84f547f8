"""What there is to say of a resource type: one `Resource` each, in the modules of `types`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from local.aws.provider.fields import Field, dig, from_boto, kept, to_boto
from local.aws.provider.values import Properties, same

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.aws.provider.tags import Tags

_GLOBAL = ("iam", "budgets")  # services without regions: their resources take no `region`


class GoneError(Exception):
    """AWS still answers for a resource that has been deleted."""


@dataclass(frozen=True)
class Resource:
    """A resource type of Pulumi's AWS provider, over boto3.

    Attributes:
        kind: Its type, as the engine names it: `aws:ec2/vpc:Vpc`.
        service: boto3's name of its service.
        create: Name of the boto3 call that makes it, or a function of client and parameters.
        id: Where the answer of that call holds the id, or a function of answer and inputs.
        read: Takes a client and the id; returns what there is. Raises GoneError, or an error of AWS that says so, where
            there is nothing.
        delete: Takes a client, the id and the inputs.
        make: Inputs that the call `create` takes.
        more: Inputs that are set by calls of their own, in `put`.
        local: Inputs that AWS never sees: they stay in the state.
        show: Outputs.
        computed: Further outputs, from what was read, the id and the region.
        put: Setters, by the names of the inputs that they set. An input of `make` without one means a replacement.
        upsert: Whether `create` also updates: then only the inputs in `fixed` mean a replacement.
        fixed: Inputs that mean a replacement where `upsert` is set or a setter sees to more than one input.
            A path with dots means one only if what it leads to changes.
        name: Input that is named automatically.
        account: Input that is the account's id where it is left out.
        defaults: Values that AWS gives to inputs that are left out.
        computed_inputs: Inputs that AWS decides where they are left out; leaving one out later changes nothing.
        tags: How to reach the tags; None where it has none.
        refused: Inputs of the published provider that this one does not take.
        settle: Waits until a resource that was made or changed can be used; takes a client and the id.
        replace_first: Whether an old one must go before its replacement can be made.
    """

    kind: str
    service: str
    create: str | Callable[[Any, Properties], Properties]
    id: str | Callable[[Properties, Properties], str]
    read: Callable[[Any, str], Properties]
    delete: Callable[[Any, str, Properties], object]
    make: tuple[Field, ...] = ()
    more: tuple[Field, ...] = ()
    local: str = ""
    show: tuple[Field, ...] = ()
    computed: Callable[[Properties, str, str], Properties] = field(default=lambda _live, _id, _region: {})
    put: Mapping[str, Callable[[Any, str, Properties], object]] = field(default_factory=dict)
    upsert: bool = False
    fixed: str = ""
    name: str = ""
    account: str = ""
    defaults: Properties = field(default_factory=dict)
    computed_inputs: str = ""
    tags: Tags | None = None
    refused: str = ""
    settle: Callable[[Any, str], None] | None = None
    replace_first: bool = False

    @cached_property
    def takes(self) -> tuple[Field, ...]:
        """Every input that it takes."""
        extra = [*self.local.split(), *(["tags"] if self.tags else []), *(["region"] if self.regional else [])]
        return (*self.make, *self.more, *(Field(name, "", "keep") for name in extra))

    @cached_property
    def inputs(self) -> frozenset[str]:
        """Names of the inputs that it takes."""
        return frozenset(field.top for field in self.takes)

    @property
    def regional(self) -> bool:
        """Whether it belongs to a region."""
        return self.service not in _GLOBAL

    @cached_property
    def setters(self) -> tuple[tuple[frozenset[str], Callable[[Any, str, Properties], object]], ...]:
        """The setters with the names of the inputs that each of them sets."""
        return tuple((frozenset(names.split()), setter) for names, setter in self.put.items())

    @cached_property
    def forces_new(self) -> frozenset[str]:
        """Names, or paths, of the inputs whose change means a replacement."""
        made = frozenset() if self.upsert else self.made
        settable = frozenset(name for names, _ in self.setters for name in names)
        return (made - settable) | frozenset(self.fixed.split()) | (frozenset({"region"}) & self.inputs)

    @cached_property
    def made(self) -> frozenset[str]:
        """Names of the inputs that the call `create` takes."""
        return frozenset(field.top for field in self.make)

    @cached_property
    def set_after(self) -> frozenset[str]:
        """Names of the inputs that are set once the resource exists."""
        return frozenset(name for names, _ in self.setters for name in names) - self.made

    def make_it(self, client: Any, inputs: Properties, tags: Mapping[str, str] | None = None) -> str:
        """Makes it and returns the id; what other calls set is not set yet.

        Args:
            client: A boto3 client of its service.
            inputs: Its inputs.
            tags: Its tags, which it has from the start where its service takes them then.
        """
        defaults = {name: value for name, value in self.defaults.items() if name in self.made}
        parameters = to_boto(self.make, defaults | inputs)
        if tags and self.tags and self.tags.born:
            parameters |= self.tags.born(self.kind.rpartition(":")[2], dict(tags))
        try:
            answer = (
                getattr(client, self.create)(**parameters)
                if isinstance(self.create, str)
                else self.create(client, parameters)
            )
        except ClientError as error:
            if isinstance(self.id, str) or not _made_by_lost_try(error):
                raise
            answer = {}
        return str(dig(answer, self.id) if isinstance(self.id, str) else self.id(answer, inputs))

    def state(self, client: Any, id_: str, given: Properties, region: str) -> tuple[Properties, Properties]:
        """Reads one resource.

        Args:
            client: A boto3 client of its service.
            id_: Its id.
            given: Its inputs; some of them AWS gives back, the others stay as they are.
            region: Its region.

        Returns:
            What AWS says of it, and its inputs and outputs.
        """
        live = self.read(client, id_)
        state = {**self.defaults, **{name: given[name] for name in self.local.split() if name in given}}
        state |= from_boto((*self.make, *self.more, *self.show), live) | self.computed(live, id_, region)
        kept((*self.make, *self.more), given, state)
        return live, state | ({"region": region} if self.regional else {})

    def differs(self, name: str, old: Properties, new: Properties) -> bool:
        """Whether an input differs, where one that is left out has its default, or what AWS decided."""
        if name not in new and name in {*self.computed_inputs.split(), self.account}:
            return False
        default = self.defaults.get(name)
        return not same(old.get(name, default), new.get(name, default))

    def replaces(self, name: str, old: Properties, new: Properties) -> bool:
        """Whether the change of an input means a replacement."""
        parts = [path for path in self.forces_new if path.startswith(f"{name}.")]
        return name in self.forces_new or any(not same(dig(old, path), dig(new, path)) for path in parts)


def gone(error: Exception) -> bool:
    """Whether an error means that the resource does not exist; a fault of this program never does."""
    if isinstance(error, ClientError):
        return bool(re.search(r"NotFound|NoSuch|^404$", error.response["Error"]["Code"]))
    return isinstance(error, GoneError)


def _made_by_lost_try(error: ClientError) -> bool:
    """Whether a resource exists because an earlier try of the same call made it, whose answer was lost."""
    tried = error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0)
    return bool(tried and re.search(r"AlreadyExists|AlreadyOwned", error.response["Error"]["Code"]))


def only(found: list[Properties]) -> Properties:
    """The one answer of a list.

    Raises:
        GoneError: The list is empty.
    """
    if not found:
        raise GoneError
    return found[0]
