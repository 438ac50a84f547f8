"""The engine's protocol (`pulumi/proto/pulumi/provider.proto`), once for all resource types."""

# ruff: noqa: N802, ARG002 (names and arguments are the protocol's)

from __future__ import annotations

import hashlib
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import grpc  # type: ignore[import-untyped]  # has no types
from botocore.exceptions import BotoCoreError, ClientError
from google.protobuf import any_pb2, empty_pb2  # type: ignore[import-untyped]  # has no types
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2

from local.aws.provider.changes import changes, imported_inputs, inputs_as_read, replaces_first
from local.aws.provider.clients import Clients, SettingError, endpoint, read_settings
from local.aws.provider.fields import strangers
from local.aws.provider.functions import FUNCTIONS
from local.aws.provider.install import VERSION
from local.aws.provider.resource import Resource, gone
from local.aws.provider.types import TYPES
from local.aws.provider.values import Properties, dump, known, load, same

if TYPE_CHECKING:
    from collections.abc import Callable

TELLING = (BotoCoreError, ClientError, SettingError, ValueError, TimeoutError)
"""Errors whose text is for people; any other is a fault of this program."""

_Request = TypeVar("_Request")
_Response = TypeVar("_Response")


def _reporting(handler: Callable[[Any, _Request, Any], _Response]) -> Callable[[Any, _Request, Any], _Response]:
    """Turns the errors of AWS and of the settings into the text that the engine shows beside the resource."""

    @wraps(handler)
    def handle(self: Any, request: _Request, context: Any) -> _Response:
        try:
            return handler(self, request, context)
        except TELLING as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
            raise

    return handle


class AwsProvider(provider_pb2_grpc.ResourceProviderServicer):
    """Serves the engine; handlers run in threads."""

    clients = Clients({})

    def GetPluginInfo(self, request: Any, context: Any) -> plugin_pb2.PluginInfo:
        """Version of the plugin."""
        return plugin_pb2.PluginInfo(version=VERSION)

    def Attach(self, request: Any, context: Any) -> empty_pb2.Empty:
        """Accepts the engine that a debugger attached."""
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any) -> empty_pb2.Empty:
        """Calls in flight end by themselves."""
        return empty_pb2.Empty()

    def CheckConfig(self, request: provider_pb2.CheckRequest, context: Any) -> provider_pb2.CheckResponse:
        """Refuses settings that are not taken and endpoints elsewhere."""
        failures = []
        try:
            read_settings(load(request.news))
        except SettingError as error:
            failures = [provider_pb2.CheckFailure(reason=str(error))]
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    def DiffConfig(self, request: provider_pb2.DiffRequest, context: Any) -> provider_pb2.DiffResponse:
        """Tells whether settings differ; they never mean a replacement, which would be one of every resource."""
        equal = request.olds == request.news
        return provider_pb2.DiffResponse(changes=_diff(not equal))

    @_reporting
    def Configure(self, request: provider_pb2.ConfigureRequest, context: Any) -> provider_pb2.ConfigureResponse:
        """Takes the settings; values then arrive in clear, and the engine marks outputs of secret inputs itself."""
        self.clients = Clients(read_settings(load(request.args)))
        allowed = self.clients.settings.get("allowedAccountIds")
        if allowed and self.clients.account not in allowed:
            raise SettingError(f"the account is {self.clients.account}, allowed: {', '.join(allowed)}")
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    @_reporting
    def Check(self, request: provider_pb2.CheckRequest, context: Any) -> provider_pb2.CheckResponse:
        """Refuses unknown types and inputs, and names what has no name."""
        resource = TYPES.get(request.type)
        if resource is None:
            raise ValueError(
                f"the local AWS provider has no {request.type}: add it to local/aws/provider/types or leave it out"
            )
        endpoint(self.clients.settings, resource.service)
        inputs, old = load(request.news), load(request.olds)
        failures = [
            provider_pb2.CheckFailure(
                property=path, reason=f"the local AWS provider does not take the input {path} of {request.type}"
            )
            for path in sorted(set(strangers(resource.takes, inputs)))
        ]
        name = resource.name
        if name and not inputs.get(name):
            inputs[name] = old.get(name) or f"{request.name}-{hashlib.sha256(request.randomSeed).hexdigest()[:7]}"
        return provider_pb2.CheckResponse(inputs=dump(inputs), failures=failures)

    @_reporting
    def Diff(self, request: provider_pb2.DiffRequest, context: Any) -> provider_pb2.DiffResponse:
        """Compares old inputs with new ones, and the tags that there are with those that are wanted."""
        resource = _resource(request.urn)
        old, new, state = load(request.old_inputs), load(request.news), load(request.olds)
        if resource.tags:
            old["tags"], new["tags"] = state.get("tagsAll", {}), self._wanted_tags(new)
        found = [change for change in changes(resource, old, new) if change.name not in request.ignoreChanges]
        kinds = provider_pb2.PropertyDiff.Kind
        detail = {each.name: provider_pb2.PropertyDiff(kind=kinds.Value(each.kind), inputDiff=True) for each in found}
        return provider_pb2.DiffResponse(
            changes=_diff(bool(found)),
            diffs=list(detail),
            detailedDiff=detail,
            hasDetailedDiff=True,
            replaces=[change.name for change in found if change.replaces],
            deleteBeforeReplace=replaces_first(resource, found),
        )

    @_reporting
    def Create(self, request: provider_pb2.CreateRequest, context: Any) -> provider_pb2.CreateResponse:
        """Makes a resource; of one that is not complete the engine learns the id, so that the next run mends it."""
        resource, inputs = _resource(request.urn), load(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(properties=dump(self._planned(resource, inputs)))
        if resource.account:
            inputs.setdefault(resource.account, self.clients.account)
        client = self._client(resource, inputs)
        wanted = self._wanted_tags(inputs) if resource.tags else {}
        id_ = resource.make_it(client, inputs, wanted)
        done = {name: inputs[name] for name in inputs if name not in resource.set_after}
        try:
            for names, setter in resource.setters:
                if names & resource.set_after & inputs.keys():
                    setter(client, id_, inputs)
                done |= {name: inputs[name] for name in names & inputs.keys()}
            if resource.tags and wanted and not resource.tags.born:
                resource.tags.add(client, id_, wanted)
            if resource.settle:
                resource.settle(client, id_)
            return provider_pb2.CreateResponse(id=id_, properties=dump(self._state(resource, client, id_, inputs)))
        except Exception as error:  # whatever it was, the resource exists and must be in the state
            text = str(error) if isinstance(error, TELLING) else repr(error)
            failed = provider_pb2.ErrorResourceInitFailed(
                id=id_, properties=dump(done), inputs=dump(done), reasons=[text]
            )
            details = any_pb2.Any()
            details.Pack(failed)
            status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=text, details=[details])
            context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
            context.abort(grpc.StatusCode.UNKNOWN, text)
            raise

    @_reporting
    def Read(self, request: provider_pb2.ReadRequest, context: Any) -> provider_pb2.ReadResponse:
        """Reads a resource, for a refresh or an import; an empty answer says that there is none."""
        resource, state, given = _resource(request.urn), load(request.properties), load(request.inputs)
        client, imported = self._client(resource, state), not state
        try:
            state = self._state(resource, client, request.id, {**state, **given})
        except Exception as error:
            if gone(error):
                return provider_pb2.ReadResponse()
            raise
        inputs = imported_inputs(resource, state) if imported else inputs_as_read(resource, given, state)
        if state.get("tags") or "tags" in inputs:
            inputs["tags"] = state.get("tags", {})
        return provider_pb2.ReadResponse(id=request.id, properties=dump(state), inputs=dump(inputs))

    @_reporting
    def Update(self, request: provider_pb2.UpdateRequest, context: Any) -> provider_pb2.UpdateResponse:
        """Sets what differs, and the tags."""
        resource, old = _resource(request.urn), load(request.old_inputs)
        new, state = load(request.news), load(request.olds)
        if request.preview:
            return provider_pb2.UpdateResponse(properties=dump({**state, **self._planned(resource, new)}))
        if resource.account:
            new.setdefault(resource.account, old.setdefault(resource.account, self.clients.account))
        client = self._client(resource, state)
        differing = {name for name in old.keys() | new.keys() if resource.differs(name, old, new)}
        if resource.upsert and differing & {field.top for field in resource.make}:
            resource.make_it(client, new)
        for names, setter in resource.setters:
            if names & differing:
                setter(client, request.id, new)
        if resource.tags:
            self._change_tags(resource, client, request.id, state.get("tagsAll", {}), self._wanted_tags(new))
        if resource.settle:
            resource.settle(client, request.id)
        return provider_pb2.UpdateResponse(properties=dump(self._state(resource, client, request.id, new)))

    @_reporting
    def Delete(self, request: provider_pb2.DeleteRequest, context: Any) -> empty_pb2.Empty:
        """Deletes a resource; one that is gone already is no fault."""
        resource, state = _resource(request.urn), load(request.properties)
        try:
            resource.delete(self._client(resource, state), request.id, state)
        except Exception as error:
            if not gone(error):
                raise
        return empty_pb2.Empty()

    @_reporting
    def Invoke(self, request: provider_pb2.InvokeRequest, context: Any) -> provider_pb2.InvokeResponse:
        """Calls a function."""
        function = FUNCTIONS.get(request.tok)
        if function is None:
            raise ValueError(
                f"the local AWS provider has no function {request.tok}: add it to local/aws/provider/functions.py"
            )
        return provider_pb2.InvokeResponse(**{"return": dump(function(self.clients, load(request.args)))})

    def _client(self, resource: Resource, properties: Properties) -> Any:
        return self.clients.client(resource.service, properties.get("region"))

    def _wanted_tags(self, inputs: Properties) -> Properties:
        own = inputs.get("tags")
        return {**self.clients.default_tags, **(own if isinstance(own, dict) else {})}

    def _planned(self, resource: Resource, inputs: Properties) -> Properties:
        """What is known of a resource while planning; the engine takes outputs that are missing for unknown."""
        planned = {**resource.defaults, **inputs}
        if resource.regional:
            planned.setdefault("region", self.clients.region)
        if resource.tags and known(inputs.get("tags")):
            planned["tagsAll"] = self._wanted_tags(inputs)
        return planned

    def _state(self, resource: Resource, client: Any, id_: str, given: Properties) -> Properties:
        region = given.get("region") or (self.clients.region if resource.regional else "")
        live, state = resource.state(client, id_, given, region)
        if resource.tags:
            state["tagsAll"] = resource.tags.read(client, id_, live)
            own, defaults = given.get("tags") or {}, self.clients.default_tags
            state["tags"] = {k: v for k, v in state["tagsAll"].items() if k in own or defaults.get(k) != v}
        return state

    def _change_tags(self, resource: Resource, client: Any, id_: str, old: Properties, new: Properties) -> None:
        assert resource.tags  # noqa: S101 (the caller has looked)
        if dropped := sorted(old.keys() - new.keys()):
            resource.tags.remove(client, id_, dropped)
        if added := {key: value for key, value in new.items() if not same(old.get(key), value)}:
            resource.tags.add(client, id_, added)


def _resource(urn: str) -> Resource:
    """The type in an URN: the last of `parent$type`, its third part."""
    return TYPES[urn.split("::")[2].rpartition("$")[2]]


def _diff(differs: bool) -> provider_pb2.DiffResponse.DiffChanges.ValueType:
    return provider_pb2.DiffResponse.DIFF_SOME if differs else provider_pb2.DiffResponse.DIFF_NONE
