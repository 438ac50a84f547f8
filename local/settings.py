"""Settings of the local cloud: the folder of its state, and its ports."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from local.errors import SettingsError

REPOSITORY = Path(__file__).resolve().parents[1]
DEFAULT_PORT = 18000
KAFKA_PORTS = 20  # for brokers, two each
LAST_PORT = 65501  # which leaves room for those after it
NO_PROXY = ("no_proxy", "NO_PROXY")  # some clients read only one of them


def cache_folder() -> Path:
    """Folder for slow builds, outside the checkout; each build lies in `<kind>-<hash of its inputs>`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "churn-platform"


def no_proxy_variables(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """NO_PROXY in both spellings, extended so that clients reach this machine's services without a proxy.

    Args:
        environment: Variables whose exceptions are kept.
    """
    hosts = [host.strip() for name in NO_PROXY for host in environment.get(name, "").split(",") if host.strip()]
    # the standard library reads `*` as all hosts only where nothing else is listed
    exceptions = ["*"] if "*" in hosts else dict.fromkeys([*hosts, "127.0.0.1", "localhost"])
    return dict.fromkeys(NO_PROXY, ",".join(exceptions))


@dataclass(frozen=True)
class LocalSettings:
    """One local cloud: where its state is, and its addresses.

    Attributes:
        home: Folder of all its state; removing it removes the cloud.
        port: Port of the workspace on 127.0.0.1; MLflow, Spark Connect and AWS take the next three, brokers of Kafka
            up to twenty after those, and servers of PostgreSQL five from the thirtieth on.
        principal_delay_seconds: Time until services beside the directory see a new principal; on Databricks there is
            one, of unknown length.
    """

    home: Path
    port: int = DEFAULT_PORT
    principal_delay_seconds: int = 0

    @classmethod
    def load(cls) -> LocalSettings:
        """Reads PLATFORM_HOME (default `.local` in the repository) and PLATFORM_PORT (default 18000).

        PLATFORM_PRINCIPAL_DELAY has the seconds of `principal_delay_seconds` (default 0).

        Raises:
            SettingsError: PLATFORM_PORT is no port that leaves room for those after it, PLATFORM_PRINCIPAL_DELAY no
                whole number, or the folder's path holds a character that is special to Spark's metastore, to
                supervisord or in a glob.
        """
        home = Path(os.environ.get("PLATFORM_HOME") or REPOSITORY / ".local").resolve()
        text = os.environ.get("PLATFORM_PORT") or str(DEFAULT_PORT)
        if not text.isdecimal() or not 1024 <= int(text) <= LAST_PORT:
            raise SettingsError(f"PLATFORM_PORT is {text!r}: set it to a whole number from 1024 to {LAST_PORT}")
        delay = os.environ.get("PLATFORM_PRINCIPAL_DELAY") or "0"
        if not delay.isdecimal():
            raise SettingsError(f"PLATFORM_PRINCIPAL_DELAY is {delay!r}: set it to a whole number of seconds")
        if special := re.search(r"[\s%*?{}\[\]\\]", str(home)):
            raise SettingsError(f"the path {home} holds {special[0]!r}: set PLATFORM_HOME to a folder without")
        return cls(home, int(text), int(delay))

    @property
    def workspace_url(self) -> str:
        """Address of the workspace."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def mlflow_port(self) -> int:
        """Port of MLflow's tracking server."""
        return self.port + 1

    @property
    def mlflow_url(self) -> str:
        """Address of MLflow's tracking server."""
        return f"http://127.0.0.1:{self.mlflow_port}"

    @property
    def spark_port(self) -> int:
        """Port of Spark Connect."""
        return self.port + 2

    @property
    def spark_remote(self) -> str:
        """Address of Spark Connect."""
        return f"sc://127.0.0.1:{self.spark_port}"

    def spark_remote_of(self, principal: str) -> str:
        """Address of Spark Connect for a principal, as whom the sessions act."""
        return f"{self.spark_remote}/;user_id={quote(principal)}"

    @property
    def aws_port(self) -> int:
        """Port of AWS."""
        return self.port + 3

    @property
    def aws_url(self) -> str:
        """Address of AWS, for all its services."""
        return f"http://127.0.0.1:{self.aws_port}"

    @property
    def kafka_port(self) -> int:
        """Port of the first broker of Kafka; each takes two."""
        return self.port + 4

    @property
    def postgres_port(self) -> int:
        """Port of the first server of PostgreSQL; each takes one, and the same number of UDP."""
        return self.port + 30

    @property
    def aws(self) -> Path:
        """What AWS knows, and the data of brokers."""
        return self.home / "aws"

    @property
    def s3(self) -> Path:
        """Content of the buckets that the workspace reads and writes: `s3://<bucket>/<path>` is `<bucket>/<path>`."""
        return self.home / "s3"

    @property
    def volumes(self) -> Path:
        """`/Volumes` of the workspace."""
        return self.home / "volumes"

    @property
    def models(self) -> Path:
        """`/Models` of the workspace: files of the versions of registered models."""
        return self.home / "models"

    @property
    def workspace_files(self) -> Path:
        """`/Workspace` of the workspace."""
        return self.home / "workspace_files"

    @property
    def tables(self) -> Path:
        """The catalogs, and what the metastore knows of their tables."""
        return self.home / "tables"

    @property
    def supervisor_conf(self) -> Path:
        """Configuration of supervisord."""
        return self.home / "supervisord.conf"

    @property
    def supervisor_socket(self) -> Path:
        """Socket of supervisord, whose address also marks every process that supervisord or a service starts."""
        return self.home / "supervisor.sock"

    @property
    def logs(self) -> Path:
        """Folder of the logs: `<service>.log`, and those of the command line's programs."""
        return self.home / "logs"

    @property
    def run_dir(self) -> Path:
        """Working folders of job tasks and pipeline updates."""
        return self.home / "runs"

    @property
    def faults(self) -> Path:
        """File that asks for faults, as `local/faults.py` describes; there is none unless somebody writes it."""
        return self.home / "faults.json"

    @property
    def quotas(self) -> Path:
        """File that lowers quotas of Unity Catalog; there is none unless somebody writes it."""
        return self.home / "quotas.json"

    @property
    def admin_token(self) -> Path:
        """File with the administrator's bearer token, written at the workspace's first start."""
        return self.home / "admin.token"
