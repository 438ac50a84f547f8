"""Small Pulumi programs for tests, run by the real engine with a home and a state of their own."""

from __future__ import annotations

import http.server
import os
import subprocess
import textwrap
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.engine import engine_environment, install
from local.settings import LocalSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STACK = "test"


@dataclass(frozen=True)
class Program:
    """A project in a folder, with one stack."""

    folder: Path
    environment: dict[str, str]

    @classmethod
    def create(cls, folder: Path, name: str = "tiny", stack: str = STACK) -> Program:
        install()  # nothing to do where engine and provider are ready
        environment = os.environ | engine_environment(LocalSettings(folder / "home"))
        project = folder / "program"
        project.mkdir(parents=True)
        (project / "Pulumi.yaml").write_text(f"name: {name}\nruntime: python\n")
        program = cls(project, environment)
        program.run("stack", "init", stack)
        return program

    def write(self, source: str) -> None:
        (self.folder / "__main__.py").write_text(textwrap.dedent(source))

    def command(self, *arguments: str) -> list[str]:
        return ["pulumi", *arguments, "--non-interactive", "--color", "never"]

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Starts `pulumi` in a process group of its own, so that a test can interrupt it."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, succeeds: bool = True) -> str:
        """Runs `pulumi` to its end, which must be as said, and returns what it wrote."""
        process = self.start(*arguments)
        output, _ = process.communicate(timeout=300)
        assert (process.returncode == 0) is succeeds, output
        return output

    def up(self, *arguments: str, succeeds: bool = True) -> str:
        return self.run("up", "--yes", "--skip-preview", *arguments, succeeds=succeeds)

    def preview(self, *arguments: str, succeeds: bool = True) -> str:
        return self.run("preview", *arguments, succeeds=succeeds)


class _EmptyWorkspace(http.server.BaseHTTPRequestHandler):
    """Knows nothing: enough to plan resources, which the provider does without asking for them."""

    def do_GET(self) -> None:
        body = b'{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "this workspace is empty"}'
        self.send_response(404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Tests have no use for a log of requests."""


@contextmanager
def empty_workspace() -> Iterator[str]:
    """Address of a workspace without anything in it."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _EmptyWorkspace) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
