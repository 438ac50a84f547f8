"""The whole output of `platform doctor`, on a machine that has everything and on one that has nothing."""

from __future__ import annotations

import os
import platform
import re
import socket
from collections import namedtuple
from pathlib import Path

import pytest
import typer

from cli import doctor, main
from tests.golden import assert_matches
from tests.ports import free_base_port

Usage = namedtuple("Usage", "total used free")
RECORDS = Path(__file__).parent / "records"
GIB = 2**30


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine of which only its programs, in `bin`, are left to say."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PLATFORM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PLATFORM_PORT", str(free_base_port()))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(doctor, "release_exists", lambda _: False)
    return tmp_path


def has_gib(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    """Leaves as much disk and memory."""
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: Usage(100 * GIB, 0, free * GIB))
    monkeypatch.setattr(doctor.psutil, "virtual_memory", lambda: type("Memory", (), {"available": free * GIB})())


def shown(capsys: pytest.CaptureFixture[str], folder: Path) -> str:
    """The output, without values that differ between machines and runs."""
    text = capsys.readouterr().out.replace(str(folder), "FOLDER").replace(platform.python_version(), "3.x")
    return re.sub(r"\d+ \((workspace|mlflow|spark|aws)\)", r"PORT (\1)", text)


def test_all_is_well(machine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    has_gib(monkeypatch, 50)
    (machine / "bin").mkdir()
    answers = {"java": 'openjdk version "17.0.1"', "javac": "javac 17.0.1", "mvn": "", "go": "go version go1.26"}
    for program, answer in answers.items():
        path = machine / "bin" / program
        path.write_text(f"#!/bin/sh\necho '{answer}'\n")
        path.chmod(0o755)
    main.doctor(as_json=False)
    assert_matches(RECORDS / "doctor_all_well.txt", shown(capsys, machine))


def test_all_is_lacking(machine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    has_gib(monkeypatch, 1)
    monkeypatch.setattr(doctor, "LAST_PYTHON", (3, 10))
    with socket.socket() as other:
        other.bind(("127.0.0.1", int(os.environ["PLATFORM_PORT"])))
        other.listen()
        with pytest.raises(typer.Exit):
            main.doctor(as_json=False)
    assert_matches(RECORDS / "doctor_all_lacking.txt", shown(capsys, machine))
