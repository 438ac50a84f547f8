"""Runs the program of a stack under mocks and records what it registers."""

from __future__ import annotations

import asyncio
import json
import pickle
import runpy
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pulumi
import yaml
from pulumi.runtime import get_root_resource, mocks, rpc
from pulumi.runtime.settings import SETTINGS, set_root_resource
from pulumi.runtime.stack import run_in_stack

from infra.access.masks import GOVERNED
from infra.access.permissions import ObjectKind
from infra.layers.platform.job_tasks import ERASURE
from infra.written.paths import REPOSITORY
from tests.infra.aws_mocks import aws_answer, aws_state

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence
    from pathlib import Path

    from pulumi.runtime.stack import Stack

WORKSPACE_HOST = "https://dbc-00000000-0002.cloud.databricks.com"  # of the workspace that prod makes
# Properties with the ids that Databricks gives to objects.
GIVEN_IDS = {
    "MwsCredentials": "credentialsId",
    "MwsCustomerManagedKeys": "customerManagedKeyId",
    "MwsNetworkConnectivityConfig": "networkConnectivityConfigId",
    "MwsNetworks": "networkId",
    "MwsPrivateAccessSettings": "privateAccessSettingsId",
    "MwsStorageConfigurations": "storageConfigurationId",
    "MwsVpcEndpoint": "vpcEndpointId",
    "PermissionAssignment": "principalId",
}
METASTORE = "00000000-0000-0000-0000-000000000003"
RUNNER = "11111111-2222-3333-4444-555555555555"  # application id of the service principal that runs everything
SERVER = "66666666-7777-8888-9999-000000000000"  # application id of the service principal that makes the endpoint
DEPLOYER_ID = "7"  # of whoever runs the program, in the directory


@dataclass(frozen=True)
class Registered:
    """One registration, inputs in camelCase.

    `dependencies` are urns; `provider` is `urn::id` or empty.
    """

    type: str
    name: str
    urn: str
    parent: str
    inputs: dict[str, Any]
    custom: bool
    protect: bool
    kept: bool  # on deletion
    provider: str
    dependencies: tuple[str, ...]
    deleted_first: bool = False  # when it is replaced
    ignored: tuple[str, ...] = ()  # properties whose changes are ignored

    @property
    def databricks(self) -> bool:
        return self.type.startswith("databricks:")


@dataclass
class Program:
    """What one run of the program for a stack registered, and what the workspace said.

    Attributes:
        signed_in: Who runs Pulumi; the deployer of the settings if empty.
        platform_members: Ids of the members of the platform's group.
        champion: The alias of the model's version 3; none if empty.
        endpoint: Name of an endpoint that serves version 2.
        governed: Values of each tag that the account governs.
    """

    stack: str
    signed_in: str = ""
    platform_members: list[str] = field(default_factory=lambda: [DEPLOYER_ID])
    champion: str = "champion"
    endpoint: str = "another"
    governed: dict[str, Sequence[str]] = field(default_factory=lambda: {**GOVERNED})
    resources: list[Registered] = field(default_factory=list)
    calls: list[mocks.MockCallArgs] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    finished: set[str] = field(default_factory=set)

    def of(self, type_: str) -> dict[str, Registered]:
        """The resources of a class, by name."""
        return {r.name: r for r in self.resources if r.type.rsplit(":", 1)[-1] == type_}


def kind_of(permissions: Registered) -> ObjectKind:
    """What kind of object a resource of permissions is about."""
    if permissions.name == f"{ERASURE.name}-permissions":
        return ObjectKind.ERASURE_JOB
    if permissions.name == "stream-dashboard-permissions":
        return ObjectKind.STREAM_DASHBOARD
    (kind,) = [kind for kind in ObjectKind if camel_case(kind) in permissions.inputs]
    return kind


def camel_case(name: str) -> str:
    """A name as the engine has it."""
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)


class _Mocks(mocks.Mocks):
    def __init__(self, program: Program) -> None:
        self.program = program

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        self.program.calls.append(args)
        return self.answer(args), []

    def answer(self, args: mocks.MockCallArgs) -> dict[str, Any]:
        """What a workspace that has run for a while would say."""
        if args.token.startswith("aws:"):
            return aws_answer(args)
        answers: dict[str, Callable[[], dict[str, Any]]] = {
            "getCurrentMetastore": lambda: {"id": METASTORE, "metastoreInfo": {"storageRoot": "s3://metastore"}},
            "getCurrentUser": lambda: {"userName": self.program.signed_in, "id": DEPLOYER_ID},
            "getExternalLocation": lambda: {"externalLocationInfo": {"url": "s3://bucket/"}},
            "getExternalLocations": lambda: {"names": ["tables"]},
            "getGroup": lambda: self.group(args.args["displayName"]),
            "getMetastore": lambda: {"metastoreId": args.args["metastoreId"]},
            "getRegisteredModel": lambda: self.model(args.args["fullName"]),
            "getServicePrincipal": lambda: {"id": DEPLOYER_ID},
            "getServingEndpoints": self.endpoints,
            "getTagPolicy": lambda: self.tag(args.args["tagKey"]),
            "getUser": lambda: {"id": DEPLOYER_ID},
        }
        name = args.token.rsplit(":", 1)[-1]
        assert name in answers, f"the program calls {args.token}, which has no mock"
        return answers[name]()

    def tag(self, key: str) -> dict[str, Any]:
        """A tag that the account governs."""
        return {"tagKey": key, "values": [{"name": value} for value in self.program.governed.get(key, ())]}

    def group(self, name: str) -> dict[str, Any]:
        """A group that the directory has."""
        return {"id": f"{name}-id", "displayName": name, "users": self.program.platform_members}

    def model(self, full_name: str) -> dict[str, Any]:
        """The registered model with its aliases."""
        aliases = [{"aliasName": "challenger", "versionNum": 4}]
        aliases += [{"aliasName": self.program.champion, "versionNum": 3}] if self.program.champion else []
        return {"fullName": full_name, "modelInfos": [{"aliases": aliases}]}

    def endpoints(self) -> dict[str, Any]:
        """All endpoints of the workspace."""
        served = [{"servedEntities": [{"name": "champion", "entityVersion": "2"}]}]
        return {"endpoints": [{"name": self.program.endpoint, "configs": served}]}

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        state = dict(args.inputs)
        if args.typ.startswith("aws:"):
            return f"{args.name}-id", state | aws_state(args)
        if args.typ == "pulumi:pulumi:StackReference":
            return args.name, state | {"outputs": _ground(args.name.rsplit("/", 1)[-1])}
        if args.typ.endswith(":ServicePrincipal"):
            state["applicationId"] = SERVER if args.name == "server" else RUNNER
        if args.typ.endswith(":ServicePrincipalSecret"):
            state["secret"] = "hidden"
        if args.typ.rsplit(":", 1)[-1] in GIVEN_IDS:
            state[GIVEN_IDS[args.typ.rsplit(":", 1)[-1]]] = f"{args.name}-id"
        if args.typ.endswith(":MwsWorkspaces"):
            state |= {"workspaceUrl": WORKSPACE_HOST, "workspaceId": "1000000000000002"}
        if args.typ.endswith(":Volume"):
            state["volumePath"] = (
                f"/Volumes/{args.inputs['catalogName']}/{args.inputs['schemaName']}/{args.inputs['name']}"
            )
        state |= _lakebase(args)
        if args.typ.endswith(":ModelServing"):
            state["servingEndpointId"] = "endpoint-id"
        return f"{args.name}-id", state


def _lakebase(args: mocks.MockResourceArgs) -> dict[str, Any]:
    """Names that Lakebase gives, and where an endpoint answers."""
    kind = args.typ.rsplit(":", 1)[-1]
    if kind == "PostgresProject":
        return {"name": f"projects/{args.inputs['projectId']}"}
    if kind == "PostgresEndpoint":
        name = f"{args.inputs['parent']}/endpoints/{args.inputs['endpointId']}"
        return {"name": name, "status": {"hosts": {"host": "online.example.com"}}}
    return {"name": f"{args.inputs['parent']}/roles/{args.inputs['roleId']}"} if kind == "PostgresRole" else {}


def _ground(stack: str) -> dict[str, Any]:
    """Outputs of another stack that has a ground in AWS."""
    return {
        "storage_root": f"s3://{stack}/churn",
        "catalog_url": f"s3://{stack}",
        "raw_url": f"s3://{stack}-raw",
        "checkpoints_url": f"s3://{stack}-checkpoints",
        "role_arns": {
            purpose: f"arn:aws:iam::123456789012:role/{stack}-{purpose}"
            for purpose in ("storage", *(() if stack == "without-kafka" else ("kafka_client",)))
        },
    }


class _Recorder(mocks.MockMonitor):
    def __init__(self, program: Program) -> None:
        super().__init__(_Mocks(program))
        self.program = program

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 (gRPC's name)
        response = super().RegisterResource(request)  # type: ignore[no-untyped-call]  # Pulumi's mocks have no types
        if request.type != "pulumi:pulumi:Stack":
            self.program.resources.append(
                Registered(
                    type=request.type,
                    name=request.name,
                    urn=response.urn,
                    parent=request.parent,
                    inputs=rpc.deserialize_properties(request.object),
                    custom=request.custom,
                    protect=request.protect,
                    kept=request.retainOnDelete,
                    deleted_first=request.deleteBeforeReplace,
                    ignored=tuple(request.ignoreChanges),
                    provider=request.provider,
                    dependencies=tuple(request.dependencies),
                )
            )
        return response

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 (gRPC's name)
        self.program.finished.add(request.urn)
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]  # Pulumi's mocks have no types


async def _values(outputs: dict[str, Any]) -> dict[str, Any]:
    return {name: await pulumi.Output.from_input(value).future() for name, value in outputs.items()}


def engine_config(stack: str, file: Path | None = None) -> dict[str, str]:
    """The stack file's configuration as the engine hands it to a program: every value is text."""
    config = yaml.safe_load((file or REPOSITORY / f"Pulumi.{stack}.yaml").read_text())["config"]
    return {
        key: value if isinstance(value, str) else json.dumps(value, default=lambda day: f"{day}T00:00:00Z")
        for key, value in config.items()
    }


def without_a_stream(stack: str) -> dict[str, str]:
    """The configuration of a stack without its stream."""
    config = engine_config(stack)
    platform = {name: value for name, value in json.loads(config["churn:platform"]).items() if name != "stream"}
    return config | {"churn:platform": json.dumps(platform)}


def run(stack: str, config: dict[str, str] | None = None, **said: Any) -> Program:
    """Runs `infra` for a stack.

    Args:
        stack: Name of the stack.
        config: Configuration as the engine hands it over; the stack file's if None.
        said: What the workspace says, by the attributes of `Program`.
    """

    def run_module() -> None:
        runpy.run_module("infra", run_name="__main__")

    return record(stack, engine_config(stack) if config is None else config, run_module, **said)


@contextmanager
def _pickler_restored() -> Iterator[None]:
    """Takes back what Pulumi changes in Python's pickler for each dynamic resource: the layers pile up."""
    pickler = pickle._Pickler  # type: ignore[attr-defined]  # the pure Python class, which stubs leave out
    methods = {name: getattr(pickler, name) for name in ("_batch_setitems", "save_dict")}
    try:
        yield
    finally:
        for name, method in methods.items():
            setattr(pickler, name, method)


def record(stack: str, config: dict[str, str], body: Callable[[], Awaitable[None] | None], **said: Any) -> Program:
    """Runs a function as the program of a stack.

    Args:
        stack: Name of the stack.
        config: Configuration as the engine hands it over.
        body: What registers resources and exports.
        said: See `run`.
    """
    platform = json.loads(config.get("churn:platform", "{}"))
    program = Program(stack, **({"signed_in": platform.get("workspace", {}).get("deployer", "")} | said))
    SETTINGS.rpc_manager.clear()  # what a program left that has failed: its loop is gone, and nobody would end it
    SETTINGS.outputs.clear()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    set_root_resource(cast("pulumi.Resource", None))  # of the program before
    mocks.set_mocks(_Mocks(program), project="churn", stack=stack, preview=False, monitor=_Recorder(program))
    set_root_resource(cast("pulumi.Resource", None))  # that of the mocks takes no entry point
    pulumi.runtime.set_all_config(config)
    stacks = []

    def in_stack() -> Awaitable[None] | None:
        stacks.append(cast("Stack", get_root_resource()))
        return body()

    with _pickler_restored():
        loop.run_until_complete(run_in_stack(in_stack))
    program.outputs = loop.run_until_complete(_values(stacks[0].outputs))
    return program
