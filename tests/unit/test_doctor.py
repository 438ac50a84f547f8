"""Each check of `platform doctor` is seen to fail, with its remedy, and to pass."""

from __future__ import annotations

import socket
from collections import namedtuple
from pathlib import Path

import pytest

from cli import doctor
from local.settings import LocalSettings, SettingsError

Usage = namedtuple("Usage", "total used free")


def test_a_program_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.program("sh", "").ok
    monkeypatch.setenv("PATH", "")
    finding = doctor.program("mvn", "install Maven")
    assert (finding.ok, finding.found, finding.remedy) == (False, "not on PATH", "install Maven")


def test_a_missing_compiler_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    finding = doctor.java()
    assert not finding.ok
    assert finding.found == "java and javac not on PATH"
    assert "JDK 17" in finding.remedy


def test_another_java_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("java", "javac"):
        (tmp_path / name).write_text("#!/bin/sh\necho 'openjdk version \"21.0.2\" 2024-01-16' >&2\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    finding = doctor.java()
    assert (finding.ok, finding.found) == (False, "21")


def test_another_java_home_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    assert doctor.java().ok
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    finding = doctor.java()
    assert not finding.ok
    assert "No such file" in finding.found
    assert finding.remedy == f"JAVA_HOME is {tmp_path}: let it name a JDK 17, or unset it"


def test_what_is_not_built_asks_for_its_builder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for other in ("engine-of-another-version", "spark-of-another-version"):
        (tmp_path / "churn-platform" / other).mkdir(parents=True)
    monkeypatch.setattr(doctor.shutil, "which", lambda name: f"/bin/{name}" if name.startswith("java") else None)
    missing = {finding.name for finding in doctor.findings(LocalSettings(tmp_path)) if not finding.ok}
    assert {"mvn", "go"} <= missing


def test_a_full_disk_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = LocalSettings(tmp_path / "not" / "yet" / "there")
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: Usage(2**40, 2**40, 2**30))
    finding = doctor.disk(settings)
    assert not finding.ok
    assert "1 GiB free at" in finding.found
    assert "PLATFORM_HOME" in finding.remedy


def test_too_little_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.psutil, "virtual_memory", lambda: type("Memory", (), {"available": 2**30})())
    assert not doctor.memory().ok


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        finding = doctor.ports(LocalSettings(tmp_path, port))
    assert not finding.ok
    assert f"{port} (workspace)" in finding.found
    assert "PLATFORM_PORT" in finding.remedy


@pytest.mark.parametrize("name", ["my projects", "100%"])
def test_a_folder_that_spark_would_not_find_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.setenv("PLATFORM_HOME", str(tmp_path / name))
    with pytest.raises(SettingsError, match=f"{name} holds a blank or %: set PLATFORM_HOME"):
        LocalSettings.load()


@pytest.mark.parametrize("text", ["80", "65534", "ten", "-1"])
def test_a_port_that_cannot_be_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("PLATFORM_PORT", text)
    with pytest.raises(SettingsError, match=f"PLATFORM_PORT is '{text}': set it to a whole number"):
        LocalSettings.load()
