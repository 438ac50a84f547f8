"""The jobs of the program under mocks: their path, where they run, as whom, and who is notified of failures."""

from __future__ import annotations

import json
from typing import Any

import pytest

from churn.core.entry import Run, parse
from churn.core.errors import OptionError
from churn.tasks import TASKS
from local.workspace.jobs.states import SUCCESS, Outcome, run_outcome, upstream
from tests.infra.conftest import PLATFORMS
from tests.infra.program import RUNNER, Program, engine_config

RETRIES = {"pipelines.numUpdateRetryAttempts", "pipelines.maxFlowRetryAttempts"}  # of the service
PATH = ["simulate", "ingest", "bronze", "silver", "reconcile", "streams"]
PATH += ["quality", "features", "train", "gate", "score", "marts"]

FORBIDDEN = {"type": "forbidden"}


def daily_tasks(program: Program) -> list[dict[str, Any]]:
    tasks: list[dict[str, Any]] = program.of("Job")["churn_daily"].inputs["tasks"]
    return tasks


def test_tasks_stand_in_alphabetical_order(program: Program) -> None:
    for job in program.of("Job").values():
        keys = [task["taskKey"] for task in job.inputs["tasks"]]
        assert keys == sorted(keys)
        for task in job.inputs["tasks"]:
            before = [dependency["taskKey"] for dependency in task.get("dependsOns", [])]
            assert before == sorted(before)


def test_a_day_goes_its_path(program: Program, programs: dict[str, Program]) -> None:
    after = {task["taskKey"]: [d["taskKey"] for d in task.get("dependsOns", [])] for task in daily_tasks(program)}
    path = PATH[1:] if program is programs["prod"] else PATH
    expected = {task: [before] if before else [] for before, task in zip([None, *path], path, strict=False)}
    assert after == expected | {"quality": ["reconcile", "streams"], "score": ["features", "gate"]}


def test_nothing_runs_as_the_runner_before_its_rule_set(program: Program) -> None:
    """Databricks refuses a `run_as` where the deployer lacks the role of users."""
    rules = program.of("AccessControlRuleSet")["runner-roles"]
    by_urn = {resource.urn: resource for resource in program.resources}
    for resource in [*program.of("Job").values(), *program.of("Pipeline").values()]:
        before: set[str] = set()
        reached = {resource.urn}
        while reached:
            before |= reached
            known = [by_urn[urn] for urn in reached if urn in by_urn]
            # A component is registered after what it waits for, and its children after the component.
            reached = {urn for each in known for urn in (*each.dependencies, each.parent)} - before
        assert rules.urn in before, f"{resource.name} does not wait for {rules.name}"


def test_a_day_is_scored_though_no_new_model_was_made(programs: dict[str, Program]) -> None:
    tasks = {task["taskKey"]: task for task in daily_tasks(programs["prod"])}
    assert {key: task["runIf"] for key, task in tasks.items() if "runIf" in task} == {"score": "AT_LEAST_ONE_SUCCESS"}
    told = {key: task["emailNotifications"] for key, task in tasks.items() if "emailNotifications" in task}
    assert told == {key: {"onFailures": ["churn-oncall@example.com"]} for key in ("train", "gate")}
    assert all(tasks[key]["notificationSettings"] == {"alertOnLastAttempt": True} for key in told)
    assert not any("emailNotifications" in task for task in daily_tasks(programs["local"]))


@pytest.mark.parametrize(
    ("failed", "scored", "whole_run"),
    [
        ("gate", True, "SUCCESS_WITH_FAILURES"),
        ("train", True, "SUCCESS_WITH_FAILURES"),
        ("features", False, "FAILED"),
        ("quality", False, "FAILED"),
        ("reconcile", False, "FAILED"),
        ("streams", False, "FAILED"),
        ("ingest", False, "FAILED"),
    ],
)
def test_a_day_is_scored_by_its_own_features_or_fails(
    programs: dict[str, Program], failed: str, scored: bool, whole_run: str
) -> None:
    tasks = {task["taskKey"]: task for task in daily_tasks(programs["local"])}
    outcomes: dict[str, Outcome] = {}
    for key in PATH:
        needs = [outcomes[need["taskKey"]].result for need in tasks[key].get("dependsOns", [])]
        ran = Outcome("FAILED", "RUN_EXECUTION_ERROR") if key == failed else SUCCESS
        outcomes[key] = upstream(tasks[key].get("runIf", "ALL_SUCCESS"), needs) or ran
    assert (outcomes["score"] == SUCCESS) == scored
    assert run_outcome(outcomes, {"marts"}).result == whole_run


def test_every_wheel_task_has_catalog_date_and_run(program: Program) -> None:
    for job in program.of("Job").values():
        for task in job.inputs["tasks"]:
            if "pythonWheelTask" not in task:
                continue
            wheel = task["pythonWheelTask"]
            assert (wheel["packageName"], wheel["entryPoint"]) == ("churn", task["taskKey"])
            named = wheel["namedParameters"]
            assert named["catalog"] == program.outputs["catalog"]
            assert named["date"] == "{{job.parameters.date}}"
            assert named["run_id"] == "{{job.run_id}}"
            assert all(isinstance(value, str) for value in named.values())


def wheel_tasks(program: Program) -> list[dict[str, Any]]:
    """The wheel tasks of all jobs of a program."""
    tasks = [task for job in program.of("Job").values() for task in job.inputs["tasks"]]
    return [task for task in tasks if "pythonWheelTask" in task]


def as_run(value: str) -> str:
    """The value of a parameter as a run fills it in."""
    return {"{{job.parameters.date}}": "2026-01-31", "{{job.run_id}}": "17"}.get(value, value)


def read_by_the_wheel(task: dict[str, Any]) -> tuple[Run, Any]:
    """Reads the parameters of a wheel task as the wheel itself does.

    Raises:
        OptionError: The wheel cannot read them.
    """
    named = task["pythonWheelTask"]["namedParameters"]
    argv = [f"--{name}={as_run(value)}" for name, value in named.items()]
    return parse(TASKS[task["pythonWheelTask"]["entryPoint"]], argv)


def test_the_wheel_can_read_the_parameters_of_every_task(program: Program) -> None:
    tasks = wheel_tasks(program)
    assert {task["taskKey"] for task in tasks} == set(TASKS) - ({"simulate"} if program.stack == "prod" else set())
    for task in tasks:
        run, _ = read_by_the_wheel(task)
        assert (run.catalog, run.run_id) == (program.outputs["catalog"], "17")
        assert task["description"] == TASKS[task["taskKey"]].description


@pytest.mark.parametrize(
    "change",
    [{"history_days": None}, {"history_dayz": "365"}, {"history_days": "a year"}, {"date": "today"}],
    ids=["missing", "unknown", "unreadable", "no day"],
)
def test_parameters_that_the_wheel_cannot_read_are_seen(
    programs: dict[str, Program], change: dict[str, str | None]
) -> None:
    (train,) = [task for task in wheel_tasks(programs["local"]) if task["taskKey"] == "train"]
    changed = train["pythonWheelTask"]["namedParameters"] | change
    named = {name: value for name, value in changed.items() if value is not None}
    with pytest.raises(OptionError):
        read_by_the_wheel({**train, "pythonWheelTask": train["pythonWheelTask"] | {"namedParameters": named}})


def test_training_has_the_settings_of_its_section(program: Program) -> None:
    given = json.loads(engine_config(program.stack)["churn:platform"])["training"]
    (train,) = [task["pythonWheelTask"] for task in daily_tasks(program) if task["taskKey"] == "train"]
    expected = {"history_days": "365", **{name: str(value) for name, value in given.items()}}
    assert expected.items() <= train["namedParameters"].items()


def test_tasks_run_where_the_setting_says(programs: dict[str, Program]) -> None:
    for stack in PLATFORMS:
        program = programs[stack]
        job = program.of("Job")["churn_daily"].inputs
        wheel_tasks = [task for task in job["tasks"] if "pythonWheelTask" in task]
        code = f"/Workspace{program.of('Directory')['code'].inputs['path']}"
        requirements, wheel = f"{code}/requirements.txt", f"{code}/churn-0.1.0-py3-none-any.whl"
        if stack == "dev":
            assert "jobClusters" not in job
            assert job["environments"][0]["spec"] == {
                "environmentVersion": "5",
                "dependencies": [f"-r {requirements}", wheel],
            }
            assert all(task["environmentKey"] == "default" for task in wheel_tasks)
            assert all(task["disableAutoOptimization"] for task in wheel_tasks), "retries are the setting's"
        else:
            assert "environments" not in job
            assert job["jobClusters"][0]["newCluster"]["policyId"] == "policy-id"
            assert all(task["jobClusterKey"] == "main" for task in wheel_tasks)
            assert all(task["libraries"] == [{"requirements": requirements}, {"whl": wheel}] for task in wheel_tasks)


def test_the_job_cluster_obeys_its_policy(programs: dict[str, Program]) -> None:
    for stack in ("local", "prod"):
        program = programs[stack]
        cluster = program.of("Job")["churn_daily"].inputs["jobClusters"][0]["newCluster"]
        rules = json.loads(program.of("ClusterPolicy")["policy"].inputs["definition"])
        assert rules.pop("cluster_type") == {"type": "fixed", "value": "job"}
        assert rules.pop("spark_version")["value"] == cluster["sparkVersion"]
        assert rules.pop("data_security_mode")["value"] == cluster["dataSecurityMode"]
        assert cluster["nodeTypeId"] in rules.pop("node_type_id")["values"]
        assert rules.pop("driver_node_type_id") == {
            "type": "allowlist",
            "values": [cluster["nodeTypeId"]],
            "isOptional": True,
        }
        workers = rules.pop("num_workers")
        assert workers["minValue"] <= cluster["numWorkers"] <= workers["maxValue"]
        assert rules.pop("runtime_engine") == {"type": "fixed", "value": "STANDARD"}
        assert rules.pop("dbus_per_hour")["maxValue"] >= 1 + cluster["numWorkers"]
        closed = {key for key, rule in rules.items() if rule == FORBIDDEN}
        assert {"aws_attributes.instance_profile_arn", "docker_image.url"} < closed
        assert {f"init_scripts.*.{place}.destination" for place in ("s3", "volumes", "workspace")} < closed
        assert {key: rule["value"] for key, rule in rules.items() if key not in closed} == {
            f"custom_tags.{key}": value for key, value in cluster["customTags"].items()
        }


def test_spark_settings_reach_cluster_and_pipelines(programs: dict[str, Program]) -> None:
    local = programs["local"]
    given = json.loads(engine_config("local")["churn:platform"])["compute"]["spark_conf"]
    assert given["spark.sql.shuffle.partitions"] == "2"
    cluster = local.of("Job")["churn_daily"].inputs["jobClusters"][0]["newCluster"]
    assert cluster["sparkConf"] == given
    for pipeline in local.of("Pipeline").values():
        assert given.items() <= pipeline.inputs["configuration"].items()
    for pipeline in programs["prod"].of("Pipeline").values():
        every = {"churn.catalog", "churn.stream"}
        own = {*every, "churn.admitted", *RETRIES}
        kafka = {"bootstrap_servers", "dead_letters", "service_credential", "topic"}
        of_stream = {*every, *(f"churn.kafka.{name}" for name in kafka)}
        assert set(pipeline.inputs["configuration"]) == (of_stream if pipeline.name == "churn_stream" else own)


def test_only_the_job_retries_an_update_and_notifies_of_it(program: Program) -> None:
    for name in ("churn_bronze", "churn_silver"):
        pipeline = program.of("Pipeline")[name]
        assert {pipeline.inputs["configuration"][setting] for setting in RETRIES} == {"0"}
        assert not pipeline.inputs.get("notifications")


def test_everything_runs_as_the_service_principal(program: Program) -> None:
    runner = {"servicePrincipalName": RUNNER}
    for resource in [*program.of("Job").values(), *program.of("Pipeline").values()]:
        assert resource.inputs["runAs"] == runner


def test_jobs_queue_watch_and_notify(programs: dict[str, Program]) -> None:
    for stack in PLATFORMS:
        for job in programs[stack].of("Job").values():
            assert job.inputs["maxConcurrentRuns"] == 1
            if job.name == "churn_activity":  # which has no end
                continue
            assert job.inputs["queue"] == {"enabled": True}
            assert job.inputs["health"]["rules"][0]["metric"] == "RUN_DURATION_SECONDS"
            assert all(task["timeoutSeconds"] > 0 for task in job.inputs["tasks"])
    prod = programs["prod"].of("Job")["churn_daily"].inputs
    assert prod["schedule"]["pauseStatus"] == "UNPAUSED"
    assert prod["parameters"] == [{"name": "date", "default": "{{job.trigger.time.iso_datetime}}[UTC]-1d"}]
    assert prod["emailNotifications"]["onFailures"] == ["churn-oncall@example.com"]
    assert all(task["maxRetries"] == 2 for task in prod["tasks"])
    local = programs["local"].of("Job")["churn_daily"].inputs
    assert local["schedule"]["pauseStatus"] == "PAUSED"
    assert "emailNotifications" not in local
    assert all("maxRetries" not in task for task in local["tasks"])


def test_whatever_costs_is_tagged(program: Program) -> None:
    mandatory = {"project": "churn", "stack": program.stack}
    of_aws = json.loads(engine_config(program.stack)["churn:ground"]).get("aws", {}).get("tags", {})
    tags = mandatory | of_aws
    for resource in (*program.of("Job").values(), *program.of("Pipeline").values()):
        assert resource.inputs["tags"] == tags
    endpoint = program.of("ModelServing")["endpoint"].inputs
    assert {tag["key"]: tag["value"] for tag in endpoint["tags"]} == tags
    warehouse = program.of("SqlEndpoint")["warehouse"].inputs
    assert {tag["key"]: tag["value"] for tag in warehouse["tags"]["customTags"]} == tags
    assert warehouse["autoStopMins"] > 0
