"""The stream of the program under mocks: its pipeline, its job, the online store, the alert, and a stack without."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from infra.access.roles import KAFKA_GRANTS, Role
from infra.layers.platform.lag_alert import COLUMN
from local.workspace.jobs.quartz import Schedule
from tests.infra.conftest import PLATFORMS, run_with
from tests.infra.program import RUNNER, Program, Registered, engine_config

if TYPE_CHECKING:
    from collections.abc import Mapping

PARTS = ("MadeTables", "PostgresDatabase", "PostgresEndpoint", "PostgresProject", "PostgresRole")


@pytest.fixture(scope="module", params=PLATFORMS)
def without(request: pytest.FixtureRequest, wheels: object) -> Program:
    """A stack without a stream."""
    return run_with(request.param, "churn:platform", stream=None)


FORBIDDEN = {"type": "forbidden"}


def stream_of(program: Program) -> Registered:
    return program.of("Pipeline")["churn_stream"]


def waits_for(program: Program, resource: Registered) -> set[str]:
    """Urns of all that a resource waits for, by itself or by the components that it is in."""
    by_urn = {each.urn: each for each in program.resources}
    before: set[str] = set()
    reached = {resource.urn}
    while reached:
        before |= reached
        known = [by_urn[urn] for urn in reached if urn in by_urn]
        reached = {urn for each in known for urn in (*each.dependencies, each.parent)} - before
    return before


def test_a_stack_without_a_stream_has_nothing_of_it(without: Program) -> None:
    assert not any(without.of(kind) for kind in PARTS)
    assert set(without.of("AlertV2")) == {"data-quality"}
    assert set(without.of("Pipeline")) == {"churn_bronze", "churn_silver"}
    assert set(without.of("Job")) == {"churn_bootstrap", "churn_daily", "churn_erase", "churn_retention"}
    [erase] = [task for task in without.of("Job")["churn_erase"].inputs["tasks"] if task["taskKey"] == "erase"]
    assert erase["pythonWheelTask"]["namedParameters"]["endpoint"] == ""
    assert "source-stream" not in without.of("WorkspaceFile")
    assert without.of("Pipeline")["churn_silver"].inputs["configuration"]["churn.stream"] == "false"
    assert "online_store" not in without.outputs
    tasks = {task["taskKey"]: task for task in without.of("Job")["churn_daily"].inputs["tasks"]}
    assert "streams" not in tasks
    assert [before["taskKey"] for before in tasks["quality"]["dependsOns"]] == ["reconcile"]
    for reader in ("quality", "features"):
        assert tasks[reader]["pythonWheelTask"]["namedParameters"]["usage_table"] == "silver.usage"
    tables = {grants.inputs.get("table", "") for grants in without.of("Grants").values()}
    assert not any(table.endswith("silver.events") for table in tables)


def test_the_pipeline_runs_day_and_night_as_the_runner(program: Program) -> None:
    pipeline = stream_of(program).inputs
    assert pipeline["continuous"] is True
    assert pipeline["runAs"] == {"servicePrincipalName": RUNNER}
    assert "pipelines.numUpdateRetryAttempts" not in pipeline["configuration"], "the service starts it again for ever"
    (library,) = pipeline["libraries"]
    assert library["file"]["path"].endswith("/pipelines/stream.py")


def test_the_pipeline_is_told_of_kafka_by_the_ground(program: Program) -> None:
    configuration = stream_of(program).inputs["configuration"]
    kafka = {name: value for name, value in configuration.items() if name.startswith("churn.kafka.")}
    assert kafka == {
        "churn.kafka.bootstrap_servers": program.outputs["kafka_bootstrap_brokers"],
        "churn.kafka.service_credential": program.of("Credential")["kafka"].inputs["name"],
        "churn.kafka.topic": "customer.events",
        "churn.kafka.dead_letters": "customer.events.dlq",
    }
    assert {kafka["churn.kafka.topic"], kafka["churn.kafka.dead_letters"]} <= set(program.outputs["kafka_topics"])
    tasks = {task["taskKey"]: task for task in program.of("Job")["churn_daily"].inputs["tasks"]}
    told = tasks["streams"]["pythonWheelTask"]["namedParameters"]
    for name in ("bootstrap_servers", "service_credential", "topic"):
        assert told[name] == kafka[f"churn.kafka.{name}"]
    assert tasks["features"]["pythonWheelTask"]["namedParameters"]["usage_table"] == "silver.events"
    assert program.of("Pipeline")["churn_silver"].inputs["configuration"]["churn.stream"] == "true"


def test_the_pipeline_runs_where_it_reaches_the_brokers(programs: dict[str, Program]) -> None:
    """On clusters in the network, or on serverless compute for which there is a private link."""
    for stack in PLATFORMS:
        pipeline = stream_of(programs[stack]).inputs
        aws = json.loads(engine_config(stack)["churn:ground"])["aws"]
        if stack == "dev":
            assert pipeline["serverless"] is True
            assert "clusters" not in pipeline
            assert "stream-policy" not in programs[stack].of("ClusterPolicy")
            assert aws["kafka"]["serverless_link"] is True
        else:
            assert pipeline["serverless"] is False
            (cluster,) = pipeline["clusters"]
            assert (cluster["label"], cluster["policyId"]) == ("default", "stream-policy-id")
            assert aws["kafka"]["serverless_link"] is False, "a link that nothing uses costs three load balancers"
        others = [programs[stack].of("Pipeline")[name].inputs for name in ("churn_bronze", "churn_silver")]
        assert all(other["serverless"] is True for other in others)


def test_the_cluster_of_the_pipeline_obeys_its_policy(programs: dict[str, Program]) -> None:
    for stack in ("local", "prod"):
        (cluster,) = stream_of(programs[stack]).inputs["clusters"]
        rules = json.loads(programs[stack].of("ClusterPolicy")["stream-policy"].inputs["definition"])
        assert rules.pop("cluster_type") == {"type": "fixed", "value": "dlt"}
        assert cluster["nodeTypeId"] in rules.pop("node_type_id")["values"]
        assert rules.pop("driver_node_type_id")["isOptional"] is True
        workers = rules.pop("num_workers")
        assert workers["minValue"] <= cluster["numWorkers"] <= workers["maxValue"]
        assert {key: rule["value"] for key, rule in rules.items() if rule != FORBIDDEN} == {
            f"custom_tags.{key}": value for key, value in cluster["customTags"].items()
        }


def test_the_pipeline_begins_when_its_files_and_rights_are_there(program: Program) -> None:
    before = waits_for(program, stream_of(program))
    for name, kind in (("first-silver", "RunOnce"), ("runner-roles", "AccessControlRuleSet")):
        assert program.of(kind)[name].urn in before
    access = [r for r in program.resources if r.name == "access"]
    assert {r.urn for r in access} <= before
    made = program.of("MadeTables")["stream-tables"]
    names = ("bronze.events", "silver.events", "silver.quarantine_events")
    assert made.inputs["tables"] == ",".join(f"{program.outputs['catalog']}.{name}" for name in names)
    assert f"{program.outputs['catalog']}.silver.events.customer_id" in made.inputs["columns"].split(",")
    assert made.urn in waits_for(program, program.of("Job")["churn_activity"])


def test_only_the_runner_reads_kafka(program: Program) -> None:
    (grants,) = [each for each in program.of("Grants").values() if "credential" in each.inputs]
    held = {grant["principal"]: set(grant["privileges"]) for grant in grants.inputs["grants"]}
    assert [who for who, privileges in held.items() if "ACCESS" in privileges] == [RUNNER]
    assert [role for line in KAFKA_GRANTS for role in line.roles] == [Role.RUNNER]


def test_people_are_notified_where_the_settings_name_them(programs: dict[str, Program]) -> None:
    people = ["churn-oncall@example.com"]
    prod = programs["prod"]
    (notification,) = stream_of(prod).inputs["notifications"]
    assert notification["emailRecipients"] == people
    assert set(notification["alerts"]) == {"on-update-failure", "on-update-fatal-failure"}, "one mail a try"
    assert prod.of("Job")["churn_activity"].inputs["emailNotifications"] == {"onFailures": people}
    alert = prod.of("AlertV2")["stream-lag"].inputs["evaluation"]["notification"]
    assert alert["subscriptions"] == [{"userEmail": address} for address in people]
    (notification,) = stream_of(programs["dev"]).inputs["notifications"]
    assert notification["emailRecipients"] == ["churn-dev@example.com"], "the stream runs at night there too"
    assert "notifications" not in stream_of(programs["local"]).inputs
    assert "emailNotifications" not in programs["local"].of("Job")["churn_activity"].inputs


def test_the_job_never_ends_and_runs_on_a_cluster_everywhere(programs: dict[str, Program]) -> None:
    for stack in PLATFORMS:
        job = programs[stack].of("Job")["churn_activity"].inputs
        assert job["continuous"] == {"pauseStatus": "UNPAUSED", "taskRetryMode": "NEVER"}
        assert not {"schedule", "health", "queue"} & set(job)
        (task,) = job["tasks"]
        assert task["taskKey"] == "activity"
        assert not {"timeoutSeconds", "maxRetries"} & set(task)
        (cluster,) = job["jobClusters"]
        workers = json.loads(engine_config(stack)["churn:platform"])["stream"]["workers"]
        assert (cluster["newCluster"]["numWorkers"], cluster["newCluster"]["policyId"]) == (workers, "policy-id")


def test_the_online_store_is_the_runners_and_has_no_password(program: Program) -> None:
    project = program.of("PostgresProject")["online"]
    assert project.inputs["projectId"] == f"churn-{program.stack}"
    role = program.of("PostgresRole")["online-runner"].inputs
    assert role["spec"] == {"postgresRole": RUNNER, "identityType": "SERVICE_PRINCIPAL"}
    database = program.of("PostgresDatabase")["online-database"].inputs["spec"]
    branch = f"projects/churn-{program.stack}/branches/production"
    assert database == {"postgresDatabase": "churn", "role": f"{branch}/roles/runner"}
    endpoint = program.of("PostgresEndpoint")["online-endpoint"].inputs
    assert (endpoint["parent"], endpoint["replaceExisting"]) == (branch, True)
    assert program.outputs["online_store"] == {
        "endpoint": f"{branch}/endpoints/primary",
        "host": "online.example.com",
        "database": "churn",
    }
    (task,) = program.of("Job")["churn_activity"].inputs["tasks"]
    named = task["pythonWheelTask"]["namedParameters"]
    assert (named["endpoint"], named["database"]) == (f"{branch}/endpoints/primary", "churn")
    assert named["sslmode"] == ("disable" if program.stack == "local" else "require")
    assert not any("password" in json.dumps(r.inputs, default=str).lower() for r in of_the_stream(program))


def of_the_stream(program: Program) -> list[Registered]:
    return [each for kind in (*PARTS, "AlertV2", "Job", "Pipeline") for each in program.of(kind).values()]


def test_the_alert_reads_as_the_runner_what_the_threshold_is_about(program: Program) -> None:
    alert = program.of("AlertV2")["stream-lag"].inputs
    settings: Mapping[str, Any] = json.loads(engine_config(program.stack)["churn:platform"])["stream"]
    assert alert["runAs"] == {"servicePrincipalName": RUNNER}
    assert alert["evaluation"]["threshold"] == {"value": {"doubleValue": settings["maximum_lag_minutes"]}}
    assert alert["evaluation"]["source"]["name"] == COLUMN
    assert f"AS {COLUMN}" in alert["queryText"]
    assert f"{program.outputs['catalog']}.silver.events" in alert["queryText"]
    assert "${" not in alert["queryText"]
    silence = settings.get("longest_silence_minutes", "NULL")
    assert f"silent.minutes > {silence}," in alert["queryText"]
    assert (silence == 60) == (program.stack == "prod")
    expected = {"local": "0 0/1 * * * ?", "dev": "0 0 * * * ?", "prod": "0 0/30 * * * ?"}
    assert alert["schedule"]["quartzCronSchedule"] == expected[program.stack]
    Schedule.parse(alert["schedule"]["quartzCronSchedule"], alert["schedule"]["timezoneId"])
