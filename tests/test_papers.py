"""The papers at the root say what is true: licence and data, folders, glossary, hooks."""

from __future__ import annotations

import hashlib
import re
import subprocess

import pytest
import yaml

from local.settings import REPOSITORY

# the text at https://www.apache.org/licenses/LICENSE-2.0.txt, byte for byte
APACHE_2_SHA256 = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
CONTRIBUTING = (REPOSITORY / "CONTRIBUTING.md").read_text()
GLOSSARY = (REPOSITORY / "docs" / "glossary.md").read_text()
WHEEL = "workloads/src/churn/"


def rows(page: str, columns: int) -> list[list[str]]:
    """The cells of every table of a page that has so many columns, without headers."""
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in page.splitlines() if line[:1] == "|"]
    return [
        row
        for row, below in zip(cells, [*cells[1:], [""]], strict=True)
        if len(row) == columns and not below[0].startswith("---")
    ]


def source_files() -> list[str]:
    """Paths of all files that git knows or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    )
    return [path for path in listed.stdout.splitlines() if (REPOSITORY / path).exists()]


def package_folders(files: list[str]) -> set[str]:
    """Folders with Python sources, to the second level of their package; the folders of tests are those of the rest."""
    folders = set()
    for path in files:
        if not path.endswith(".py") or path.startswith("tests/"):
            continue
        top = WHEEL if path.startswith(WHEEL) else path.split("/", 1)[0] + "/"
        folders |= {top, top + path.removeprefix(top).rpartition("/")[0].split("/")[0]}
    return {folder.rstrip("/") for folder in folders}


def unlisted(contributing: str, folders: set[str]) -> list[str]:
    """Those folders that are no row of the guide's table."""
    return sorted(folders - {row[0].strip("`/") for row in rows(contributing, 4)})


def missing(contributing: str) -> list[str]:
    """Folders and tests of the guide's table that do not exist."""
    named = [name for row in rows(contributing, 4) for name in re.findall(r"[\w./]+", f"{row[0]} {row[3]}")]
    return sorted({name for name in named if "/" in name and not (REPOSITORY / name).exists()})


def unused(glossary: str, texts: str) -> list[str]:
    """Words of the glossary that stand in none of the texts; spaces do not count, since names and lines split words."""
    words = [word.strip() for row in rows(glossary, 2) for word in re.sub(r"\(.*?\)", "", row[0]).split(",")]
    joined = re.sub(r"\s", "", texts.casefold())
    return sorted(word for word in words if re.sub(r"\s", "", word.casefold()) not in joined)


def test_the_licence_is_the_unmodified_apache_licence() -> None:
    assert hashlib.sha256((REPOSITORY / "LICENSE").read_bytes()).hexdigest() == APACHE_2_SHA256


def test_the_notice_names_the_data_that_is_in_the_wheel() -> None:
    (data,) = (REPOSITORY / WHEEL).rglob("telco_customer_churn.csv")
    assert hashlib.sha256(data.read_bytes()).hexdigest() in (REPOSITORY / "NOTICE").read_text()


def test_the_guide_has_every_package_folder() -> None:
    assert unlisted(CONTRIBUTING, package_folders(source_files())) == []


def test_an_unlisted_folder_is_seen() -> None:
    folders = package_folders(["infra/new/thing.py", "infra/access/plan.py", WHEEL + "new/deep/thing.py", "docs/a.md"])
    assert folders == {"infra", "infra/new", "infra/access", WHEEL.rstrip("/"), WHEEL + "new"}
    table = "| folder | b | c | d |\n|---|---|---|---|\n| `infra/` | b | c | d |\n| `infra/access/` | b | c | d |"
    assert unlisted(table, folders) == ["infra/new", WHEEL.rstrip("/"), WHEEL + "new"]


def test_folders_and_tests_of_the_guide_exist() -> None:
    assert missing(CONTRIBUTING) == []
    assert missing("| `infra/` | a | b | `tests/infra tests/no_such_test.py` |") == ["tests/no_such_test.py"]


def test_the_project_uses_every_word_of_the_glossary() -> None:
    sources = [path for path in source_files() if path.endswith((".py", ".md", ".yaml")) and "glossary" not in path]
    assert unused(GLOSSARY, "\n".join((REPOSITORY / path).read_text() for path in sources)) == []
    assert unused("| word | meaning |\n|---|---|\n| used, other word | b |", "it is Used") == ["other word"]


def test_the_glossary_defines_a_word_once_and_in_order() -> None:
    assert rows(GLOSSARY, 2)
    words = [row[0] for row in rows(GLOSSARY, 2)]
    assert len(words) == len(set(words))
    for section in GLOSSARY.split("\n## ")[1:]:
        listed = [row[0].casefold() for row in rows(section, 2)]
        assert listed == sorted(listed), section.splitlines()[0]


@pytest.mark.parametrize("hook", yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text())["repos"])
def test_hooks_call_pinned_tools_and_what_make_check_calls(hook: dict[str, object]) -> None:
    assert hook["repo"] == "local", "a hook from elsewhere is not pinned by requirements.lock"
    makefile = (REPOSITORY / "Makefile").read_text()
    entries = [entry["entry"].replace(" --force-exclude", "") for entry in hook["hooks"]]
    assert [entry for entry in entries if f"\t{entry}" not in makefile] == []


def test_owners_name_folders_that_exist() -> None:
    lines = (REPOSITORY / ".github" / "CODEOWNERS").read_text().splitlines()
    paths = [line.split()[0] for line in lines if line and not line.startswith("#")]
    assert [path for path in paths if path != "*" and not (REPOSITORY / path.strip("/")).exists()] == []
