"""Libraries of tasks and pipelines: wheels, requirements, and files of both."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest

from local.errors import LibraryError
from local.settings import LocalSettings
from local.workspace.programs.libraries import unpack
from tests.local import wheel

if TYPE_CHECKING:
    from pathlib import Path

FILE = "/Workspace/Shared/code/requirements.txt"
WHEEL = "/Workspace/Shared/code/rules-1.0-py3-none-any.whl"


@pytest.fixture
def settings(tmp_path: Path) -> LocalSettings:
    """A home folder with a wheel among the workspace's files."""
    settings = LocalSettings(tmp_path, 28000)
    wheel.build(settings.workspace_files / WHEEL.removeprefix("/Workspace/"), "rules", "LIMIT = 6\n", {})
    return settings


def write(settings: LocalSettings, text: str) -> None:
    (settings.workspace_files / FILE.removeprefix("/Workspace/")).write_text(text)


def test_the_lines_of_a_file_are_compared_with_the_environment(settings: LocalSettings) -> None:
    pin = f"pandas=={version('pandas')}"
    write(settings, f"# pinned\n\n{pin}  # the runtime's\nno-such-package==1 ; sys_platform == 'nowhere'\n{WHEEL}\n")
    (folder,) = unpack(settings, [f"-r {FILE}"])
    assert (folder / "rules" / "__init__.py").read_text() == "LIMIT = 6\n"
    assert unpack(settings, [f"--requirement={FILE}", WHEEL]) == [folder, folder]


def test_another_version_is_refused_with_line_and_both_versions(settings: LocalSettings) -> None:
    write(settings, f"numpy=={version('numpy')}\npandas==1.5.3\n")
    with pytest.raises(LibraryError) as caught:
        unpack(settings, [f"-r {FILE}"])
    assert str(caught.value) == (
        f"{FILE}, line 2: dependency 'pandas==1.5.3' does not fit the local environment, which has {version('pandas')}"
    )


def test_a_version_of_the_spark_client_stays_and_is_reported(
    settings: LocalSettings, caplog: pytest.LogCaptureFixture
) -> None:
    write(settings, "protobuf==5.29.6\n")
    assert unpack(settings, [f"-r {FILE}"]) == []
    assert f"'protobuf==5.29.6' is left at {version('protobuf')}" in caplog.text


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("no-such-package==1", "not in the local environment"),
        ("--index-url https://example.com", "are not built"),
        ("-r other.txt", "are not built"),
        ("pandas==1 \\", "are not built"),
        ("/Workspace/Shared/none.whl", "cannot be read"),
        ("a b", "neither a wheel's path nor a requirement"),
    ],
)
def test_a_line_that_cannot_be_met_is_named(settings: LocalSettings, line: str, named: str) -> None:
    write(settings, f"\n{line}\n")
    with pytest.raises(LibraryError, match=named) as caught:
        unpack(settings, [f"-r {FILE}"])
    assert str(caught.value).startswith(f"{FILE}, line 2: ")


def test_a_missing_file_is_named(settings: LocalSettings) -> None:
    with pytest.raises(LibraryError, match=r"requirements file /Workspace/Shared/none\.txt cannot be read"):
        unpack(settings, ["-r /Workspace/Shared/none.txt"])
    with pytest.raises(LibraryError, match=r"requirements\.txt is not a path under /Workspace or /Volumes"):
        unpack(settings, ["-r requirements.txt"])
