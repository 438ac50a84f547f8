"""Pulumi's language host for Python: the gRPC service through which the engine runs programs and policy packs.

The engine starts it (`bin/pulumi-language-python`) with its own address as the last argument and reads the port
from the first line of stdout. The official host is a Go program of the CLI's release that no Go module contains, so
this host replaces it where the CLI is built from modules. Protocol: `pulumi/proto/pulumi/language.proto`.
"""

# ruff: noqa: N802, ARG002 (names and arguments are the protocol's)

from __future__ import annotations

import ast
import importlib.metadata
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from concurrent import futures
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import grpc  # type: ignore[import-untyped]  # has no types
from google.protobuf import empty_pb2, json_format  # type: ignore[import-untyped]  # nor has this
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from local.engine.run_program import ALREADY_SHOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RUN_PROGRAM = Path(__file__).with_name("run_program.py")
MAX_MESSAGE_BYTES = 400 << 20  # as the engine's own limit


def python_of(info: language_pb2.ProgramInfo) -> Path:
    """The interpreter of a program: that of its option `virtualenv`, else the host's own.

    Raises:
        FileNotFoundError: the virtual environment that the project's options name has no interpreter.
    """
    name = json_format.MessageToDict(info.options).get("virtualenv")
    if not name:
        return Path(sys.executable)
    python = Path(info.root_directory, name, "bin", "python")
    if not python.exists():
        raise FileNotFoundError(
            f"the option `virtualenv` of the project in {info.root_directory} is {name!r}, but there is no {python}: "
            "create the environment or correct the option"
        )
    return python


def site_packages(python: Path) -> list[str]:
    """The folders of the packages that an interpreter has."""
    if python == Path(sys.executable):
        return sys.path
    return [str(folder) for folder in python.parent.parent.glob("lib/python3*/site-packages")]


def entry_of(info: language_pb2.ProgramInfo) -> Path:
    """The program's folder, or its file where the project's `main` names one."""
    return Path(info.program_directory) / info.entry_point


def imported_modules(entry: Path) -> set[str]:
    """Top-level names that the Python files of a program import; hidden folders are no part of the program."""
    folder = entry if entry.is_dir() else entry.parent
    names: set[str] = set()
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name != "__pycache__"]
        for file in files:
            if not file.endswith(".py"):
                continue
            try:
                tree = ast.parse(Path(parent, file).read_bytes())
            except SyntaxError:
                continue  # running the program reports it, with its place
            for node in ast.walk(tree):
                if isinstance(node, ast.Import):
                    names.update(alias.name.partition(".")[0] for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    names.add(node.module.partition(".")[0])
    return names


def required_plugins(entry: Path, search: list[str]) -> list[plugin_pb2.PackageDependency]:
    """The provider binaries, in exact versions, of the SDKs that a program imports.

    Args:
        entry: The program.
        search: Folders with installed packages. The `pulumi-plugin.json` of an SDK names its binary.

    Raises:
        NotImplementedError: an SDK of a parameterized provider.
    """
    plugins = []
    for module in sorted(imported_modules(entry)):
        manifest = next(filter(Path.is_file, (Path(folder, module, "pulumi-plugin.json") for folder in search)), None)
        if manifest is None:
            continue
        plugin = json.loads(manifest.read_text())
        if not plugin.get("resource"):
            continue
        if "parameterization" in plugin:
            raise NotImplementedError(f"{manifest}: parameterized providers are not supported by this language host")
        version = "v" + plugin["version"].removeprefix("v")
        server = plugin.get("server", "")
        plugins.append(
            plugin_pb2.PackageDependency(name=plugin["name"], kind="resource", version=version, server=server)
        )
    return plugins


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """The service. Methods that it lacks answer UNIMPLEMENTED, which the engine reports where it needs one."""

    def __init__(self, engine: str) -> None:
        self.engine = engine
        self.running: set[subprocess.Popen[bytes]] = set()

    def Handshake(
        self, request: language_pb2.LanguageHandshakeRequest, context: grpc.ServicerContext
    ) -> language_pb2.LanguageHandshakeResponse:
        """Learns the engine's address."""
        self.engine = request.engine_address or self.engine
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        """Version of this host, which is that of the SDK."""
        return plugin_pb2.PluginInfo(version=importlib.metadata.version("pulumi"))

    def GetRequiredPackages(
        self, request: language_pb2.GetRequiredPackagesRequest, context: grpc.ServicerContext
    ) -> language_pb2.GetRequiredPackagesResponse:
        """The provider binaries that a program needs."""
        with reported(context):
            search = site_packages(python_of(request.info))
            return language_pb2.GetRequiredPackagesResponse(packages=required_plugins(entry_of(request.info), search))

    def GetProgramDependencies(
        self, request: language_pb2.GetProgramDependenciesRequest, context: grpc.ServicerContext
    ) -> language_pb2.GetProgramDependenciesResponse:
        """The packages that a program's interpreter has."""
        with reported(context):
            installed = importlib.metadata.distributions(path=site_packages(python_of(request.info)))
            names = [language_pb2.DependencyInfo(name=dist.name, version=dist.version) for dist in installed]
            return language_pb2.GetProgramDependenciesResponse(dependencies=names)

    def About(self, request: language_pb2.AboutRequest, context: grpc.ServicerContext) -> language_pb2.AboutResponse:
        """The interpreter of this host."""
        return language_pb2.AboutResponse(executable=sys.executable, version=sys.version.split()[0])

    def Run(self, request: language_pb2.RunRequest, context: grpc.ServicerContext) -> language_pb2.RunResponse:
        """Runs a program to its end."""
        with reported(context):
            if request.attach_debugger:
                raise NotImplementedError("--attach-debugger is not supported by this language host")
            python = python_of(request.info)
        settings = {
            "project": request.project,
            "stack": request.stack,
            "organization": request.organization,
            "root_directory": request.info.root_directory,
            "monitor": request.monitor_address,
            "engine": self.engine,
            "parallel": request.parallel,
            "dry_run": request.dryRun,
        }
        command = [str(python), "-u", str(RUN_PROGRAM), json.dumps(settings), str(entry_of(request.info))]
        config = {
            "PULUMI_CONFIG": json.dumps(dict(request.config)),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
        }
        process = subprocess.Popen(
            [*command, *request.args], env=os.environ | config, cwd=request.info.program_directory
        )
        self.running.add(process)
        context.add_callback(process.terminate)
        code = process.wait()
        self.running.discard(process)
        if code == 0:
            return language_pb2.RunResponse()
        if code in (ALREADY_SHOWN, -signal.SIGINT, -signal.SIGTERM):
            return language_pb2.RunResponse(bail=True)
        ended = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"exited with code {code}"
        return language_pb2.RunResponse(error=f"The program {ended}")

    def RunPlugin(
        self, request: language_pb2.RunPluginRequest, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.RunPluginResponse]:
        """Runs a plugin that is written in Python: a policy pack (kind `analyzer`) or a provider."""
        with reported(context):
            python = python_of(request.info)
        program = request.info.program_directory
        if request.kind == "analyzer":
            command = [str(python), "-u", "-m", "pulumi.policy", *request.args, program]
        else:
            command = [str(python), "-u", program, *request.args]
        environment = dict(pair.split("=", 1) for pair in request.env) or None
        process = subprocess.Popen(
            command, env=environment, cwd=request.pwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        context.add_callback(process.terminate)
        output: queue.Queue[language_pb2.RunPluginResponse | None] = queue.Queue()
        for name, stream in (("stdout", process.stdout), ("stderr", process.stderr)):
            threading.Thread(target=_pump, args=(stream, name, output), daemon=True).start()
        for _ in range(2):
            yield from iter(output.get, None)
        yield language_pb2.RunPluginResponse(exitcode=process.wait())

    def Cancel(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Interrupts the programs, as Ctrl-C in a terminal would."""
        for process in tuple(self.running):
            process.send_signal(signal.SIGINT)
        return empty_pb2.Empty()


class reported:  # noqa: N801 (reads as a statement)
    """Ends the call with the text of an error that names its remedy, instead of a traceback."""

    def __init__(self, context: grpc.ServicerContext) -> None:
        self.context = context

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (FileNotFoundError, NotImplementedError)):
            self.context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))


def _pump(stream: IO[bytes], name: str, output: queue.Queue[language_pb2.RunPluginResponse | None]) -> None:
    read: Callable[[int], bytes] = stream.read1  # type: ignore[attr-defined]  # pipes are buffered readers
    for chunk in iter(lambda: read(4096), b""):
        is_output = name == "stdout"
        output.put(
            language_pb2.RunPluginResponse(stdout=chunk) if is_output else language_pb2.RunPluginResponse(stderr=chunk)
        )
    output.put(None)


def main() -> None:
    """Serves until the engine, which keeps this process in a group with its programs, interrupts the group."""
    addresses = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    options: list[tuple[str, Any]] = [("grpc.max_receive_message_length", MAX_MESSAGE_BYTES)]
    server = grpc.server(futures.ThreadPoolExecutor(16), options=options)
    host = LanguageHost(addresses[-1] if addresses else "")
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    for number in (signal.SIGINT, signal.SIGTERM):
        # os._exit, because the threads of a gRPC server delay an orderly exit until running calls end.
        signal.signal(number, lambda *_: os._exit(0))
    print(port, flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
