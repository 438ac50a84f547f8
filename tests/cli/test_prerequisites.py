"""A bare machine's needs are named all at once, and installed only after a yes. The machine is a folder of scripts."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
from pathlib import Path

import pytest

from local.engine.release import ENGINE_VERSION, RELEASES
from local.settings import DEFAULT_PORT, REPOSITORY
from tests.golden import assert_matches

RECORDS = Path(__file__).parent / "records"
SCRIPTS = ("cli/prerequisites.sh", "cli/find_python.sh", "cli/bootstrap.sh", "local/engine/release.py")
TOOLS = ("sh", "cat", "cksum", "dirname", "sed", "rm", "mkdir", "chmod", "touch")
JAVA = "echo 'openjdk version \"{0}.0.1\"' >&2"
JAVAC = "echo javac {0}.0.1"
PYTHON = 'case "$2" in *ensurepip*) exit 0 ;; *) exit 1 ;; esac'  # no release can be downloaded
PACKAGES = {
    "python3.11-venv": ("python3.11", PYTHON),
    "openjdk-17-jdk-headless": ("javac", JAVAC.format(17)),
    "maven": ("mvn", ""),
    "golang-go": ("go", ""),
}


class Machine:
    """A checkout, and a PATH that holds little more than a shell.

    Attributes:
        root: Folder with `checkout`, `bin` and what the fake programs write.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        for file in SCRIPTS:
            copy = root / "checkout" / file
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / file, copy)
        for file in ("requirements.lock", "pyproject.toml"):
            shutil.copy(REPOSITORY / file, root / "checkout" / file)
        (root / "bin").mkdir()
        for tool in TOOLS:
            (root / "bin" / tool).symlink_to(shutil.which(tool) or "")
        self.has("id", "echo 0")

    def has(self, program: str, text: str = "") -> None:
        """Puts a script on PATH."""
        path = self.root / "bin" / program
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def has_all(self) -> None:
        """Has what `make up` needs."""
        self.has("python3.11", PYTHON)
        self.has("java", JAVA.format(17))
        for program, text in PACKAGES.values():
            self.has(program, text)

    def has_apt(self, known: tuple[str, ...] = tuple(PACKAGES)) -> None:
        """Has Debian's package manager, with these packages in its lists; it writes down what it is asked for."""
        self.has("apt-cache", f'case " {" ".join(known)} " in *" $2 "*) exit 0 ;; *) exit 1 ;; esac')
        lines = [f'echo "$@" >> {self.root / "asked"}']
        for package, (program, text) in PACKAGES.items():
            for name, content in [(program, text)] + ([("java", JAVA.format(17))] if program == "javac" else []):
                path = self.root / "bin" / name
                script = f"#!/bin/sh\n{content}\n".replace("'", "'\\''")
                install = f"printf '%s' '{script}' > {path}; chmod 755 {path}"
                lines.append(f'case " $* " in *" install "*" {package} "*) {install} ;; esac')
        self.has("apt-get", "\n".join(lines))

    @property
    def asked(self) -> list[str]:
        """Arguments of the package manager's calls, one line each."""
        file = self.root / "asked"
        return file.read_text().splitlines() if file.exists() else []

    def check(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Runs the check without a terminal."""
        return subprocess.run(
            ["sh", "cli/prerequisites.sh", *arguments],
            cwd=self.root / "checkout",
            env={"PATH": str(self.root / "bin"), "HOME": str(self.root), **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def find_python(self, **environment: str) -> str:
        """Output of `cli/find_python.sh`."""
        return subprocess.run(
            ["sh", "cli/find_python.sh"],
            cwd=self.root / "checkout",
            env={"PATH": str(self.root / "bin"), **environment},
            capture_output=True,
            text=True,
            check=False,
        ).stdout

    def check_at_terminal(self, answer: str) -> tuple[int, str]:
        """Runs the check at a terminal, at which somebody writes an answer."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            ["sh", "cli/prerequisites.sh"],
            cwd=self.root / "checkout",
            env={"PATH": str(self.root / "bin"), "HOME": str(self.root)},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        os.write(ours, f"{answer}\n".encode())
        said = b""
        try:
            while part := os.read(ours, 4096):
                said += part
        except OSError:  # how Linux reports that the other side was closed
            pass
        os.close(ours)
        return process.wait(), said.decode()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_machine_with_everything_is_silent(machine: Machine) -> None:
    machine.has_all()
    done = machine.check()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_everything_that_is_lacking_is_said_at_once_and_not_installed(machine: Machine) -> None:
    machine.has_apt()
    done = machine.check()
    assert done.returncode == 1
    assert_matches(RECORDS / "prerequisites_all_lacking.txt", done.stderr)
    assert machine.asked == []


def test_a_yes_in_the_environment_installs_what_is_lacking(machine: Machine) -> None:
    machine.has_apt()
    machine.has("mvn")
    done = machine.check(INSTALL="yes")
    assert done.returncode == 0, done.stderr
    packages = "python3.11-venv openjdk-17-jdk-headless golang-go"
    assert machine.asked == ["update", f"install --yes --no-install-recommends {packages}"]


@pytest.mark.parametrize(("answer", "installed"), [("y", True), ("yes", True), ("n", False), ("", False)])
def test_a_terminal_asks_first(machine: Machine, answer: str, installed: bool) -> None:
    machine.has_apt()
    code, said = machine.check_at_terminal(answer)
    assert "Run it now? [y/N]" in said
    assert (code == 0) == installed, said
    assert bool(machine.asked) == installed


def test_without_rights_the_line_is_printed_for_root(machine: Machine) -> None:
    machine.has_apt()
    machine.has("id", "echo 1000")
    done = machine.check(INSTALL="yes")
    assert done.returncode == 1
    assert_matches(RECORDS / "prerequisites_without_rights.txt", done.stderr)
    assert machine.asked == []


def test_sudo_gives_the_rights(machine: Machine) -> None:
    machine.has_apt()
    machine.has("id", "echo 1000")
    machine.has("sudo", f'echo "sudo $1" >> {machine.root / "asked"}; exec "$@"')
    assert machine.check(INSTALL="yes").returncode == 0
    assert [line for line in machine.asked if line.startswith("sudo")] == ["sudo apt-get", "sudo apt-get"]


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (("python3.12-venv", "openjdk-17-jdk-headless", "openjdk-21-jdk-headless"), "python3.12-venv openjdk-17-"),
        (("python3.13-venv", "openjdk-21-jdk-headless", "openjdk-25-jdk-headless"), "python3.13-venv openjdk-21-"),
        ((), "python3-venv default-"),  # before the first `apt-get update`
    ],
)
def test_packages_are_those_that_the_system_has(machine: Machine, known: tuple[str, ...], expected: str) -> None:
    machine.has_apt(known)
    assert f"{expected}jdk-headless maven golang-go\n" in machine.check().stderr


@pytest.mark.parametrize("manager", ["dnf", "brew"])
def test_other_package_managers_have_their_line(machine: Machine, manager: str) -> None:
    machine.has(manager)
    assert_matches(RECORDS / f"prerequisites_{manager}.txt", machine.check().stderr)


def test_without_a_package_manager_the_list_is_all(machine: Machine) -> None:
    done = machine.check(INSTALL="yes")
    assert done.returncode == 1
    assert done.stderr.endswith("\n  → install it, then run this again\n")


def test_what_is_installed_but_not_on_path_is_said_once(machine: Machine) -> None:
    machine.has_all()
    machine.has("java", JAVA.format(25))
    machine.has("brew", f'echo "$@" >> {machine.root / "asked"}')
    done = machine.check(INSTALL="yes")
    assert done.returncode == 1
    assert "JDK 17 or 21 (java: 25, javac: 17), which runs Spark" in done.stderr
    assert "`brew install openjdk@21` ran and did not bring it onto PATH" in done.stderr
    assert machine.asked == ["install openjdk@21"]


@pytest.mark.parametrize(("java", "javac", "fits"), [(17, 17, True), (21, 21, True), (21, 17, True), (11, 11, False)])
def test_both_long_term_versions_of_java_fit(machine: Machine, java: int, javac: int, fits: bool) -> None:
    machine.has_all()
    machine.has("java", JAVA.format(java))
    machine.has("javac", JAVAC.format(javac))
    assert (machine.check().returncode == 0) == fits


def test_go_is_not_asked_for_where_a_release_can_be_downloaded(machine: Machine) -> None:
    machine.has_all()
    (machine.root / "bin" / "go").unlink()
    assert "Go, which builds Pulumi's engine: no release" in machine.check().stderr
    machine.has("python3.11", f'case "$2" in *ensurepip*) ;; *) echo "$3" > {machine.root / "requested"} ;; esac')
    assert machine.check().returncode == 0
    requested = f"{RELEASES}/v{ENGINE_VERSION}/pulumi-{ENGINE_VERSION}-checksums.txt\n"
    assert (machine.root / "requested").read_text() == requested


def test_without_a_python_a_connection_to_the_releases_is_enough(machine: Machine) -> None:
    machine.has_all()
    for program in ("go", "python3.11"):
        (machine.root / "bin" / program).unlink()
    machine.has("timeout", f'echo "$4" > {machine.root / "connected"}')
    assert "Go" not in machine.check().stderr
    assert (machine.root / "connected").read_text() == ": < /dev/tcp/github.com/443\n"


@pytest.mark.parametrize(
    ("builder", "builds"), [("go", ["engine-0/bin/pulumi"]), ("mvn", ["spark-0/jars.txt", "kafka-0/jars.txt"])]
)
def test_what_is_built_asks_for_no_builder(machine: Machine, builder: str, builds: list[str]) -> None:
    machine.has_all()
    (machine.root / "bin" / builder).unlink()
    for build in builds:
        assert machine.check().returncode == 1
        file = machine.root / ".cache" / "churn-platform" / build
        file.parent.mkdir(parents=True)
        file.touch()
    assert machine.check().returncode == 0


def test_setup_asks_for_python_alone(machine: Machine) -> None:
    machine.has("python3.11", "exit 1")  # of another version, or without ensurepip
    machine.has("python3", "exit 1")
    done = subprocess.run(
        ["sh", "cli/bootstrap.sh"],
        cwd=machine.root / "checkout",
        env={"PATH": str(machine.root / "bin"), "HOME": str(machine.root)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(
        "error: this machine lacks:\n  Python 3.11, 3.12 or 3.13 with its module venv\n  → install it"
    )
    assert not (machine.root / "checkout" / ".venv").exists()


@pytest.mark.parametrize(
    ("programs", "found"),
    [(("python3.13", "python3.12"), "python3.12"), (("python3",), "python3"), (("python3.10",), "")],
)
def test_the_first_python_that_fits_is_found(machine: Machine, programs: tuple[str, ...], found: str) -> None:
    for program in programs:
        machine.has(program)
    assert machine.find_python() == (f"{machine.root / 'bin' / found}\n" if found else "")


def test_another_python_can_be_named(machine: Machine) -> None:
    for program in ("python3.11", "python3.12"):
        machine.has(program)
    assert machine.find_python(PYTHON="python3.12") == f"{machine.root / 'bin' / 'python3.12'}\n"
    assert machine.find_python(PYTHON="python3.13") == ""


def test_the_container_for_developers_is_made_of_files_that_exist() -> None:
    folder = REPOSITORY / ".devcontainer"
    settings = json.loads((folder / "devcontainer.json").read_text())
    context = (folder / settings["build"]["context"]).resolve()
    assert settings["forwardPorts"] == [DEFAULT_PORT]
    lines = (folder / settings["build"]["dockerfile"]).read_text().splitlines()
    copied = [file for line in lines if line.startswith("COPY") for file in line.split()[1:-1]]
    assert {file for file in SCRIPTS if "bootstrap" not in file} == set(copied)
    assert [file for file in copied if not (context / file).is_file()] == []
