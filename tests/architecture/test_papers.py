"""The papers: licence and notice, contributor guide, glossary, hooks, code owners, each compared with the tree."""

from __future__ import annotations

import hashlib
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import yaml

from local.settings import REPOSITORY
from tests.architecture.sources import tracked

if TYPE_CHECKING:
    from collections.abc import Iterable

# https://www.apache.org/licenses/LICENSE-2.0.txt, byte for byte
APACHE_2_SHA256 = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
CONTRIBUTING = (REPOSITORY / "CONTRIBUTING.md").read_text()
GLOSSARY = (REPOSITORY / "docs" / "glossary.md").read_text()
# Folders whose own folders are parts of the architecture; elsewhere those of the first two levels are.
OF_PARTS = ("workloads/src/churn/", "infra/layers/")


def rows(page: str, columns: int) -> list[list[str]]:
    """The cells of each table row with so many columns, headers left out."""
    lines = [line for line in page.splitlines() if line.startswith("|")]
    bodies = [line for line, below in pairwise([*lines, ""]) if not line.startswith("|--") and below[:3] != "|--"]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in bodies]
    return [row for row in cells if len(row) == columns]


def package_folders(files: Iterable[str]) -> set[str]:
    """Folders with Python sources that the guide must list; the folders of tests are those of the rest."""
    folders = set()
    for path in files:
        if path.endswith(".py") and not path.startswith("tests/"):
            root = next((root for root in OF_PARTS if path.startswith(root)), path.split("/", 1)[0] + "/")
            folders |= {root, root + path.removeprefix(root).rpartition("/")[0].split("/")[0]}
    return {folder.rstrip("/") for folder in folders}


def unlisted(guide: str, folders: set[str]) -> list[str]:
    """Folders without a row in the guide's table."""
    return sorted(folders - {row[0].strip("`/") for row in rows(guide, 4)})


def missing(guide: str) -> list[str]:
    """Folders and tests of the guide's table that do not exist."""
    named = {name for row in rows(guide, 4) for name in re.findall(r"[\w./]*/[\w./]*", f"{row[0]} {row[3]}")}
    return sorted(name for name in named if not (REPOSITORY / name).exists())


def unused(glossary: str, texts: str) -> list[str]:
    """Words of the glossary that stand in none of the texts; spaces do not count, since names and lines split words."""
    words = [word for row in rows(glossary, 2) for word in re.sub(r"\(.*?\)", "", row[0]).split(",")]
    joined = re.sub(r"\s", "", texts.casefold())
    return sorted(word.strip() for word in words if re.sub(r"\s", "", word.casefold()) not in joined)


def unordered(glossary: str) -> list[str]:
    """Sections of the glossary whose words are out of order, or stand there twice."""
    sections = {section.partition("\n")[0]: rows(section, 2) for section in glossary.split("\n## ")[1:]}
    words = {title: [row[0].casefold() for row in listed] for title, listed in sections.items()}
    return [title for title, listed in words.items() if not listed or listed != sorted(set(listed))]


def strange_hooks(configuration: dict[str, Any], makefile: str) -> list[str]:
    """Hooks from elsewhere, which no lock file pins, and those that call what `make check` does not call."""
    calls = {hook["id"]: hook["entry"].replace(" --force-exclude", "") for hook in _hooks(configuration)}
    foreign = [repository["repo"] for repository in configuration["repos"] if repository["repo"] != "local"]
    return foreign + [name for name, call in calls.items() if f"\t{call}" not in makefile]


def _hooks(configuration: dict[str, Any]) -> list[dict[str, str]]:
    return [hook for repository in configuration["repos"] for hook in repository["hooks"] if "entry" in hook]


def owned_nowhere(owners: str) -> list[str]:
    """Paths of code owners that do not exist."""
    paths = [line.split()[0] for line in owners.splitlines() if line and not line.startswith("#")]
    return [path for path in paths if path != "*" and not (REPOSITORY / path.strip("/")).exists()]


def test_the_licence_is_the_unmodified_apache_licence() -> None:
    assert hashlib.sha256((REPOSITORY / "LICENSE").read_bytes()).hexdigest() == APACHE_2_SHA256


def test_the_notice_names_the_data_that_is_in_the_wheel() -> None:
    (data,) = (REPOSITORY / "workloads" / "src").rglob("telco_customer_churn.csv")
    assert hashlib.sha256(data.read_bytes()).hexdigest() in (REPOSITORY / "NOTICE").read_text()


def test_the_guide_has_every_package_folder() -> None:
    assert unlisted(CONTRIBUTING, package_folders(tracked())) == []


def test_an_unlisted_folder_is_seen() -> None:
    files = (
        "infra/new/deep/a.py",
        "infra/access/a.py",
        "infra/layers/new/a.py",
        "workloads/src/churn/new/a.py",
        "docs/a.md",
    )
    folders = package_folders(files)
    assert {"infra", "infra/new", "infra/access", "infra/layers/new", "workloads/src/churn/new"} <= folders
    table = "| folder | b | c | d |\n|---|---|---|---|\n| `infra/` | b | c | d |\n| `infra/access/` | b | c | d |"
    assert {"infra", "infra/access"}.isdisjoint(unlisted(table, folders))
    assert {"infra/new", "infra/layers/new", "workloads/src/churn/new"} <= set(unlisted(table, folders))


def test_folders_and_tests_of_the_guide_exist() -> None:
    assert missing(CONTRIBUTING) == []
    assert missing("| `infra/` | b | c | `tests/infra tests/no_test.py` |\n| `gone/` | b | c | d |") == [
        "gone/",
        "tests/no_test.py",
    ]


def test_the_project_uses_every_word_of_the_glossary() -> None:
    sources = [path for path in tracked() if path.endswith((".py", ".md", ".yaml")) and path != "docs/glossary.md"]
    assert unused(GLOSSARY, "\n".join((REPOSITORY / path).read_text() for path in sources)) == []
    assert unused("| word | meaning |\n|---|---|\n| used, no word (of us) | b |", "it is Used") == ["no word"]


def test_the_glossary_is_in_order() -> None:
    assert unordered(GLOSSARY) == []
    assert unordered("\n## A\n| a | x |\n| b | x |\n## B\n| b | x |\n| a | x |\n## C\n| a | x |\n| a | x |") == [
        "B",
        "C",
    ]


def test_hooks_call_pinned_tools_as_make_check_does() -> None:
    configuration = yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text())
    assert strange_hooks(configuration, (REPOSITORY / "Makefile").read_text()) == []
    foreign = {"repos": [{"repo": "https://example.com/hooks", "hooks": [{"id": "a"}]}]}
    other = {"repos": [{"repo": "local", "hooks": [{"id": "black", "entry": ".venv/bin/black"}]}]}
    assert strange_hooks(foreign, "") == ["https://example.com/hooks"]
    assert strange_hooks(other, "check:\n\t.venv/bin/ruff check .\n") == ["black"]


def test_code_owners_own_what_exists() -> None:
    assert owned_nowhere((REPOSITORY / ".github" / "CODEOWNERS").read_text()) == []
    assert owned_nowhere("# a comment\n*  @example/all\n/infra/  @example/a\n/gone/  @example/a\n") == ["/gone/"]
