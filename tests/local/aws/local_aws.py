"""A local AWS of a test's own: its server in a folder, and programs that reach it through the real engine."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import boto3
import psutil
from botocore.config import Config

from local.aws.provider.types import TYPES
from tests.local.engine_programs import Program

if TYPE_CHECKING:
    from pathlib import Path

    from local.settings import LocalSettings

REGION = "eu-west-1"
SERVICES = ["appautoscaling", "budgets", "cloudwatch", "ec2", "elbv2", "iam", "kafka", "kms", "logs"]
SERVICES += ["s3", "sns", "sts"]

PROVIDER = """
import pulumi
import pulumi_aws as aws

provider = aws.Provider(
    "local",
    region="{region}",
    access_key="test",
    secret_key="test",
    endpoints=[dict.fromkeys({services}, "{url}")],
    skip_credentials_validation=True,
    skip_metadata_api_check=True,
    skip_requesting_account_id=True,
    s3_use_path_style=True,
    default_tags={{"tags": {{"stack": "test"}}}},
)
opts = pulumi.ResourceOptions(provider=provider)
asked = pulumi.InvokeOptions(provider=provider)
"""
# What is listed by type and name comes into the state by its id, in place of being made.
IMPORTED = """

def imported(args):
    wanted = ids.get(f"{{args.type_}} {{args.name}}")
    return wanted and pulumi.ResourceTransformationResult(
        args.props,
        pulumi.ResourceOptions.merge(
            args.opts, pulumi.ResourceOptions(import_=wanted, ignore_changes=untold[args.type_])
        ),
    )

ids, untold = {ids}, {untold}
pulumi.runtime.register_stack_transformation(imported)
"""
IMPORTS = """
import json
import pulumi
import pulumi_aws as aws
from local_provider import asked, opts, provider
"""


@dataclass
class LocalAws:
    """A server whose process a test starts, kills and stops."""

    settings: LocalSettings
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        return self.settings.aws_url

    @property
    def folder(self) -> Path:
        return self.settings.aws

    def start(self) -> None:
        """Starts the server and waits until it answers."""
        environment = os.environ | {
            "PLATFORM_HOME": str(self.settings.home),
            "PLATFORM_PORT": str(self.settings.port),
        }
        command = [sys.executable, "-m", "local.aws", "serve"]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        deadline = time.monotonic() + 120
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.settings.aws_port)) == 0:
                    return
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.1)

    def stop(self) -> None:
        """Ends the server, which ends its brokers."""
        assert self.process
        self.process.terminate()
        self.process.wait(60)

    def kill(self) -> None:
        """Kills the server, as a crash would; brokers are left."""
        assert self.process
        self.process.kill()
        self.process.wait(60)

    def brokers(self) -> list[psutil.Process]:
        """The processes of its brokers."""
        return [
            process
            for process in psutil.process_iter(["cmdline"])
            if any(str(self.folder / "kafka") in word for word in process.info["cmdline"] or [])
        ]

    def log(self) -> str:
        return self._log.read_text()

    @property
    def _log(self) -> Path:
        return self.settings.home / "aws.log"

    def client(self, service: str, keys: tuple[str, str] = ("test", "test")) -> Any:
        """boto3 as anybody would use it."""
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id=keys[0],
            aws_secret_access_key=keys[1],
            config=Config(s3={"addressing_style": "path"}, proxies={}),
        )


class AwsProgram(Program):
    """A program with a provider for a local AWS, `opts`."""

    server: LocalAws

    @classmethod
    def of(cls, server: LocalAws, folder: Path) -> Self:
        program = cls.create(folder)
        object.__setattr__(program, "server", server)
        return program

    def write(self, source: str) -> None:
        """Writes the program; what its lines need besides, `IMPORTS`, is there."""
        provider = PROVIDER.format(url=self.server.url, services=SERVICES, region=REGION)
        (self.folder / "local_provider.py").write_text(provider)
        super().write(IMPORTS + textwrap.dedent(source))

    def imports_what_it_has_made(self) -> set[str]:
        """Forgets every object of AWS and takes it into the state by its id, with no change; returns their types.

        Inputs that AWS, or moto, never tells are ignored: they come with the next deployment.
        """
        state = json.loads(self.run("stack", "export"))
        resources = state["deployment"]["resources"]
        made = [each for each in resources if each["type"].startswith("aws:")]
        state["deployment"]["resources"] = [each for each in resources if each not in made]
        file = self.folder.parent / "forgotten.json"
        file.write_text(json.dumps(state))
        self.run("stack", "import", "--file", str(file))
        provider = self.folder / "local_provider.py"
        plain = provider.read_text()
        ids = {f"{each['type']} {each['urn'].rpartition('::')[2]}": each["id"] for each in made}
        untold = {
            kind: [
                *resource.local.split(),
                *(field.top for field in (*resource.make, *resource.more) if field.kind == "keep"),
            ]
            for kind, resource in TYPES.items()
        }
        provider.write_text(plain + IMPORTED.format(ids=ids, untold=untold))
        said = self.up()
        assert f"= {len(made)} imported" in said, said
        assert " updated" not in said, said
        provider.write_text(plain)
        return {each["type"] for each in made}

    def outputs(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("stack", "output", "--json", "--show-secrets"))
        return found
