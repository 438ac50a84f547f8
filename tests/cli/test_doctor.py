"""Each check of `platform doctor` is seen to fail, with its remedy, and to pass."""

from __future__ import annotations

import re
import socket
from collections import namedtuple
from pathlib import Path

import pytest

from cli import doctor
from local.engine.installation import ENGINE_VERSION, Installed
from local.errors import SettingsError
from local.settings import LocalSettings

Usage = namedtuple("Usage", "total used free")


def script(path: Path, text: str) -> None:
    """Writes a program."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_a_program_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.program("sh", "").ok
    monkeypatch.setenv("PATH", "")
    finding = doctor.program("mvn", "install Maven")
    assert (finding.ok, finding.state, finding.remedy) == (False, "not on PATH", "install Maven")


def test_a_missing_compiler_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    finding = doctor.java()
    assert not finding.ok
    assert finding.state == "java and javac not on PATH"
    assert "JDK 17" in finding.remedy


def test_another_java_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("java", "javac"):
        script(tmp_path / name, "echo 'openjdk version \"11.0.2\" 2019-01-15' >&2")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    finding = doctor.java()
    assert (finding.ok, finding.state) == (False, "javac: 11")


def test_another_java_home_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    assert doctor.java().ok
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    finding = doctor.java()
    assert not finding.ok
    assert "No such file" in finding.state
    assert finding.remedy == f"JAVA_HOME is {tmp_path}: let it name a JDK 17 or 21, or unset it"


@pytest.fixture
def no_release(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine that no release of Pulumi can be downloaded to."""
    monkeypatch.setattr(doctor, "release_exists", lambda _: False)


@pytest.mark.usefixtures("no_release")
def test_what_is_not_built_asks_for_its_builder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for other in ("engine-of-another-version", "spark-of-another-version"):
        (tmp_path / "churn-platform" / other).mkdir(parents=True)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(doctor, "java", lambda: doctor.Finding("JDK", True, "17"))
    assert {"mvn", "go"} <= not_ok(tmp_path)


def test_a_release_that_can_be_downloaded_spares_go(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(doctor, "release_exists", lambda _: True)
    assert "go" not in not_ok(tmp_path)


@pytest.mark.usefixtures("no_release")
@pytest.mark.parametrize(("version", "missing"), [("2.25.2", {"go"}), (ENGINE_VERSION, set())])
def test_only_the_pinned_pulumi_spares_go(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str, missing: set[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    script(tmp_path / "bin" / "pulumi", f"echo v{version}")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(doctor, "java", lambda: doctor.Finding("JDK", True, "17"))
    assert not_ok(tmp_path) & {"go"} == missing


@pytest.mark.parametrize(
    ("answer", "ok"),
    [
        ("echo go version go1.22.4 linux/amd64", False),  # where GOTOOLCHAIN=local forbids it to fetch 1.26
        ("echo go version go1.19.13 linux/amd64", True),  # it fetches 1.26 as a module
        ("echo go version go1.26 linux/amd64", True),
        ("echo go version go2.0.1 linux/amd64", True),
        ("echo go: download go1.26: no such host >&2; exit 1", False),
    ],
)
def test_a_go_that_cannot_build_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: str, ok: bool
) -> None:
    script(tmp_path / "go", answer)
    monkeypatch.setenv("PATH", str(tmp_path))
    finding = doctor.go()
    assert finding.ok == ok
    assert finding.state in answer
    assert "install Go 1.26 or later" in finding.remedy
    assert "GOTOOLCHAIN=auto" in finding.remedy


@pytest.mark.parametrize(("free_gib", "built", "ok"), [(4, False, False), (8, False, True), (4, True, True)])
def test_what_is_built_needs_little_disk(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free_gib: int, built: bool, ok: bool
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: Usage(2**40, 2**40, free_gib * 2**30))
    monkeypatch.setattr(doctor, "complete", lambda _: built)
    if built:
        for program in (Installed.locate().cli, Installed.locate().provider_binary):
            script(program, "")
    assert ("disk" not in not_ok(tmp_path)) == ok


def not_ok(home: Path) -> set[str]:
    """Names of the checks of a local cloud that fail."""
    return {finding.name for finding in doctor.findings(LocalSettings(home)) if not finding.ok}


def test_a_full_disk_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = LocalSettings(tmp_path / "not" / "yet" / "there")
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: Usage(2**40, 2**40, 2**30))
    finding = doctor.disk(settings, 2)
    assert not finding.ok
    assert "1 GiB free at" in finding.state
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
    assert f"{port} (workspace)" in finding.state
    assert "PLATFORM_PORT" in finding.remedy


@pytest.mark.parametrize(
    ("name", "wrong"), [("my projects", "' '"), ("100%", "'%'"), ("[1] new", "'['"), ("a*", "'*'")]
)
def test_a_folder_that_spark_would_not_find_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, wrong: str
) -> None:
    monkeypatch.setenv("PLATFORM_HOME", str(tmp_path / name))
    with pytest.raises(SettingsError, match=re.escape(f"{name} holds {wrong}: set PLATFORM_HOME")):
        LocalSettings.load()


@pytest.mark.parametrize("text", ["80", "65534", "ten", "-1"])
def test_a_port_that_cannot_be_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("PLATFORM_PORT", text)
    with pytest.raises(SettingsError, match=f"PLATFORM_PORT is '{text}': set it to a whole number"):
        LocalSettings.load()
