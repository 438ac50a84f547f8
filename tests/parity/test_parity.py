"""The page of parity: not stale, its green rows shown by what they name, and no area without one."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from local.stand_ins import StandIn
from tests.parity.areas import area_of, routes, source_of
from tests.parity.marks import Shown, faults, shown
from tests.parity.page import PAGE, Claims, page
from tests.parity.refusals import Refused, _named, apis, refused_inputs

if TYPE_CHECKING:
    from pathlib import Path

JOBS = "local/workspace/jobs/settings.py"
HELPER = """
from databricks.sdk import WorkspaceClient

class Cloud:
    def client(self):
        return WorkspaceClient()

    def http(self):
        return None
"""
CONFTEST = """
from tests.helper import Cloud

@pytest.fixture
def cloud():
    return Cloud()
"""

RIGHT = '"jobs: retries", client="databricks-sdk"'
USES = "def test_it(cloud):\n    cloud.client()"


@pytest.fixture(scope="module")
def claims() -> Claims:
    return Claims.of_the_repository()


def marked(folder: Path, test: str) -> Path:
    """A repository with one file of tests, whose `conftest` has a fixture of another file's class."""
    tests = folder / "tests"
    tests.mkdir()
    (tests / "helper.py").write_text(HELPER)
    (tests / "conftest.py").write_text(CONFTEST)
    (tests / "test_it.py").write_text(test)
    return folder


def test_the_page_is_not_stale(claims: Claims) -> None:
    assert PAGE.read_text(encoding="utf-8") == page(claims), "renew it with: make parity"


def test_each_claim_is_a_row_of_the_page(claims: Claims) -> None:
    green = Shown("jobs", "a new thing", "databricks-sdk", "tests/test_new.py", "test_new")
    own = replace(green, capability="another thing", client="httpx")
    part = StandIn("jobs", "a part", "does less | more")
    lacking = Refused("jobs", "colour of a job", JOBS)
    text = page(
        replace(
            claims,
            shown=[*claims.shown, green, own],
            stand_ins=[*claims.stand_ins, part],
            refused=[*claims.refused, lacking],
        )
    )
    test = "[test_new](../tests/test_new.py)"
    for row in (
        f"| 🟢 | a new thing | databricks-sdk | {test} |",
        f"| 🟠 | another thing | shown by our own calls only | {test} |",
        r"| 🟠 | a part | does less \| more |  |",
        f"| 🔴 | colour of a job | refused by name | [workspace/jobs/settings.py](../{JOBS}) |",
    ):
        assert row in text.splitlines()


def test_marks_name_what_there_is_and_what_their_test_uses() -> None:
    assert len(shown()) > 100
    assert faults() == []


@pytest.mark.parametrize(
    ("arguments", "test", "fault"),
    [
        ('"jib: retries", client="databricks-sdk"', USES, "the area 'jib'"),
        ('"retries", client="databricks-sdk"', USES, "the area 'retries'"),
        ('"jobs: retries", client="curl"', USES, "the client 'curl'"),
        ('"jobs: retries"', USES, "the client ''"),
        (RIGHT, "def test_it(cloud):\n    cloud.http()", "it does not use databricks-sdk"),
        (RIGHT, "def test_it(cloud: WorkspaceClient):\n    cloud.http()", "it does not use databricks-sdk"),
        (RIGHT, f'@pytest.mark.skip(reason="slow")\n{USES}', "the mark skip shows nothing"),
        (
            '"jobs: retries", client="Databricks provider"',
            "def test_it(program):\n    program.pulumi('import pulumi')",
            "does not use Databricks provider",
        ),
        ('"engine: up", client="Pulumi engine"', "def test_it(pulumi):\n    run('import pulumi')", "use Pulumi engine"),
        ('"aws: networks", client="pulumi-aws"', "def test_it(pulumi):\n    pulumi('up')", "does not use pulumi-aws"),
        (RIGHT, "class TestIt:\n    pass", "test_it.py:1: the mark `shows` counts on a function of the module alone"),
    ],
    ids=[
        "area",
        "no-area",
        "client",
        "no-client",
        "other-client",
        "annotation",
        "skipped",
        "other-program",
        "mocks",
        "no-aws",
        "class",
    ],
)
def test_a_wrong_mark_is_seen(tmp_path: Path, arguments: str, test: str, fault: str) -> None:
    (found,) = faults(marked(tmp_path, f"@pytest.mark.shows({arguments})\n{test}"))
    assert found.startswith("tests/test_it.py:")
    assert fault in found


@pytest.mark.parametrize(
    ("before", "test"),
    [
        ("", USES),
        ("def helped(cloud):\n    return cloud.client()\n", "def test_it(cloud):\n    helped(cloud)"),
        (
            "@pytest.fixture\ndef made(cloud):\n    return cloud.client()\n",
            '@pytest.mark.usefixtures("made")\ndef test_it():\n    pass',
        ),
        ('PROGRAM = "from databricks.sdk import WorkspaceClient"\n', "def test_it():\n    run(PROGRAM)"),
    ],
    ids=["fixture", "helper", "usefixtures", "program"],
)
def test_a_client_is_found_where_a_test_calls_it(tmp_path: Path, before: str, test: str) -> None:
    root = marked(tmp_path, f'{before}@pytest.mark.shows("jobs: repairs", {RIGHT})\n{test}')
    assert faults(root) == []
    assert [(one.area, one.capability, one.test) for one in shown(root)] == [
        ("jobs", "repairs", "test_it"),
        ("jobs", "retries", "test_it"),
    ]


def test_every_area_with_routes_has_a_green_row(claims: Claims) -> None:
    assert claims.unproved() == []


def test_an_area_without_a_green_row_is_seen(claims: Claims) -> None:
    own = Shown("sql", "values", "httpx", "tests/test_it.py", "test_it")
    without = [mark for mark in claims.shown if mark.area not in ("sql", "jobs")]
    assert replace(claims, shown=[*without, own]).unproved() == ["jobs", "sql"]
    assert replace(claims, shown=[own], routes=Counter(secrets=1)).unproved() == ["secrets", "sql"]


def test_every_route_belongs_to_an_area(claims: Claims) -> None:
    found = routes()
    assert len(found) > 150
    assert claims.routes.total() == len(found)
    assert {area_of(source_of(route)).key for route in found} >= {"jobs", "secrets", "dashboards"}
    with pytest.raises(LookupError, match=r"local/workspace/quantum/routes\.py belongs to no area"):
        area_of("local/workspace/quantum/routes.py")


def test_every_stand_in_belongs_to_an_area(claims: Claims) -> None:
    assert claims.strange_stand_ins() == []
    lost = replace(claims, stand_ins=[StandIn("jib", "a part", "does less")])
    assert lost.strange_stand_ins() == ["a part: jib"]


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ('raise not_built("dry_run of a pipeline")', ["dry_run of a pipeline"]),
        ('raise not_built(f"{path}.external_model")', ["external_model"]),
        ('raise not_built(f"{name} of a run")', ["any other field of a run"]),
        ('for name in ("a", "b"):\n    raise not_built(f"{path}{name} of x")', ["a, b of x"]),
        ("for name in TASK_KINDS:\n    raise not_built(name)", ["pipeline_task, python_wheel_task"]),
        (
            "for name in NOT_BUILT:\n    raise not_built(f'{name} of a job')",
            ["environment_variables, git_source, trigger, triggers of a job"],
        ),
        (
            "raise not_built(f\"{path}.{kind} (there are {', '.join(TASK_KINDS)})\")",
            ["any other field (there are pipeline_task, python_wheel_task)"],
        ),
        (
            'raise bad_request("type: the local workspace has none")',
            ["type: the local workspace has none"],
        ),
        ('raise bad_request("name is missing")', []),
    ],
)
def test_what_a_source_refuses_is_read(source: str, names: list[str]) -> None:
    assert list(_named(source, JOBS)) == names


def test_a_refusal_that_names_nothing_is_seen() -> None:
    with pytest.raises(ValueError, match=r"settings\.py:1: write what is refused"):
        list(_named("raise not_built(name)", JOBS))


def test_calls_of_the_sdk_are_compared_with_the_routes(claims: Claims) -> None:
    compared = {api.name: api for api in claims.apis}
    assert compared["JobsAPI"].answered["run_now"] == "jobs"
    assert compared["FilesAPI"].missing == []
    assert "submit" in compared["JobsAPI"].missing
    assert not compared["AlertsAPI"].answered
    assert all(not api.answered for api in apis([]))


def test_inputs_that_the_aws_provider_refuses_are_read() -> None:
    types = {one.what.partition(":")[0]: one for one in refused_inputs()}
    assert types["`kms.Key`"].path == "local/aws/provider/types/keys.py"
    assert "customKeyStoreId" in types["`kms.Key`"].what
    assert types["`msk.Topic`"].area == "kafka"
