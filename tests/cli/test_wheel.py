"""The wheel is the same bytes for the same sources, carries the contracts, and is built only when they change."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest

from cli import wheel
from cli.errors import CommandError
from local.settings import REPOSITORY

PAPERS = ("LICENSE", "NOTICE")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what the wheel is built from."""
    for folder in ("workloads", "contracts"):
        ignore = shutil.ignore_patterns("dist", "__pycache__")
        shutil.copytree(REPOSITORY / folder, tmp_path / folder, symlinks=True, ignore=ignore)
    for file in PAPERS:
        shutil.copy(REPOSITORY / file, tmp_path / file)
    monkeypatch.setattr(wheel, "REPOSITORY", tmp_path)
    monkeypatch.setattr(wheel, "WORKLOADS", tmp_path / "workloads")
    return tmp_path


def build(checkout: Path) -> Path:
    return wheel.build_wheel(checkout / "build.log", lambda _: None)


def test_the_same_sources_give_the_same_bytes(checkout: Path) -> None:
    first = build(checkout).read_bytes()
    shutil.rmtree(checkout / "workloads" / "dist")
    for path in (checkout / "workloads" / "src").rglob("*.py"):
        path.touch()
    assert build(checkout).read_bytes() == first


def test_it_is_built_again_only_when_a_source_changes(checkout: Path) -> None:
    built = build(checkout).stat().st_mtime_ns
    assert build(checkout).stat().st_mtime_ns == built
    (checkout / "contracts" / "customer.yaml").open("a").write("# changed\n")
    changed = build(checkout).stat().st_mtime_ns
    assert changed != built
    (checkout / "NOTICE").open("a").write("Changed.\n")
    assert build(checkout).stat().st_mtime_ns != changed


def test_it_carries_contracts_data_and_entry_points(checkout: Path) -> None:
    names = zipfile.ZipFile(build(checkout)).namelist()
    assert "churn/contracts/customer.yaml" in names
    assert "churn/data/telco_customer_churn.csv" in names
    assert any(name.endswith("entry_points.txt") for name in names)


def test_it_carries_the_licence_and_the_notice_of_its_data(checkout: Path) -> None:
    archive = zipfile.ZipFile(build(checkout))
    contents = {name.rpartition("/")[2]: archive.read(name) for name in archive.namelist() if "/licenses/" in name}
    assert contents == {file: (REPOSITORY / file).read_bytes() for file in PAPERS}
    assert b"telco_customer_churn.csv" in contents["NOTICE"]
    (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    assert b"\nLicense-Expression: Apache-2.0\n" in archive.read(metadata)


def test_a_copy_without_links_is_refused(checkout: Path) -> None:
    link = checkout / "workloads" / "src" / "churn" / "contracts"
    link.unlink()
    link.write_text("../../../contracts")
    with pytest.raises(CommandError, match=r"workloads/src/churn/contracts is no link .*git clone"):
        build(checkout)
