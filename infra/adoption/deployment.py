"""The state of a stack as `pulumi stack export` gives it, and what is changed there by hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Resource = dict[str, Any]

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"  # the engine's word for a value that a plan cannot know
MARKED = "4dabf18193072939515e22adb298388d"  # its mark of a secret value
HIDDEN = "[secret]"  # what a plan has in the place of one
CREATES = ("create", "create-replacement")
ENGINES = "pulumi:"  # types of the engine itself: the stack, providers


class Deployment:
    """The state of a stack.

    Args:
        export: What `pulumi stack export` has printed; it is changed in place.
    """

    def __init__(self, export: dict[str, Any]) -> None:
        self.export = export
        self.resources: list[Resource] = export["deployment"].setdefault("resources", [])

    @property
    def stack(self) -> str | None:
        """URN of the stack itself; None where nothing was deployed."""
        return next((each["urn"] for each in self.resources if each["type"] == "pulumi:pulumi:Stack"), None)

    def pending(self) -> list[Resource]:
        """Takes the pending operations out, and returns the resources that they were about to change."""
        operations = self.export["deployment"].pop("pending_operations", None) or []
        return [dict(operation["resource"], creating=operation["type"] == "creating") for operation in operations]

    def known(self, type_: str) -> set[str]:
        """Ids of the objects of a type that the state has."""
        return {resource["id"] for resource in self.resources if resource["type"] == type_ and "id" in resource}

    def has(self, urn: str) -> bool:
        """Whether a resource is in the state, other than to be deleted."""
        return any(resource["urn"] == urn and not resource.get("delete") for resource in self.resources)

    def provider(self, resource: Resource) -> Resource | None:
        """The provider of a resource, as the state has it; None for one that was not made yet."""
        for each in self.resources:
            if each["type"].startswith("pulumi:providers:") and f"{each['urn']}::{each['id']}" == resource["provider"]:
                return each
        return None

    def adopt(self, resource: Resource, id_: str, outputs: Mapping[str, str] | None = None) -> None:
        """Puts an object into the state: as if its creation had ended, but for what the service says of it.

        An object that the state has for the same resource is one that was being replaced: the engine deletes it.

        Args:
            resource: The resource as it was planned.
            id_: Id of the object.
            outputs: What the provider needs besides its inputs to find the object.
        """
        for each in self.resources:
            if each["urn"] == resource["urn"]:
                each["delete"] = True
        made = self._made(resource, id_)
        self.resources.append(made | {"outputs": {**made["outputs"], **(outputs or {})}})

    def delete(self, resource: Resource, id_: str) -> None:
        """Puts an object into the state that the engine deletes with the next deployment.

        Args:
            resource: The resource that it is a second object of.
            id_: Id of the object.
        """
        self.resources.append(self._made(resource, id_) | {"delete": True, "protect": False})

    def _made(self, resource: Resource, id_: str) -> Resource:
        """A resource with an id; it depends on nothing that the state does not have."""
        urns = {each["urn"] for each in self.resources}
        dependencies = [urn for urn in resource.get("dependencies") or [] if urn in urns]
        by_property = {
            name: [urn for urn in found or [] if urn in urns]
            for name, found in (resource.get("propertyDependencies") or {}).items()
        }
        outputs = {name: value for name, value in resource["inputs"].items() if name != "__defaults"}
        kept = {key: value for key, value in resource.items() if key not in ("creating", "outputs", "external")}
        return kept | {
            "id": id_,
            "custom": True,
            "outputs": outputs,  # as a provider has them between its request and its first look
            "dependencies": dependencies,
            "propertyDependencies": by_property,
        }


def planned(preview: dict[str, Any]) -> Iterator[Resource]:
    """Resources that a plan would make and whose inputs it knows.

    An object whose inputs are not known yet cannot have been asked for. A plan hides secrets, so inputs that are some
    are left out: the next deployment writes them.

    Args:
        preview: What `pulumi preview --json` has printed.
    """
    for step in preview.get("steps") or []:
        resource = step.get("newState") or {}
        if step["op"] in CREATES and wanted(resource) and UNKNOWN not in json.dumps(resource["inputs"]):
            yield resource | {"inputs": {k: v for k, v in resource["inputs"].items() if v != HIDDEN}}


def wanted(resource: Resource) -> bool:
    """Whether a resource is an object of a cloud."""
    return bool(resource.get("custom")) and not resource["type"].startswith(ENGINES)


def plain(value: Any) -> Any:
    """Inputs with None in the place of secrets, which the state has encrypted."""
    if isinstance(value, dict):
        if MARKED in value:
            return None
        return {key: plain(each) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list) else value
