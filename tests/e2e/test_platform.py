"""From nothing to scored customers and back, with the commands that people type; the tests run in this order."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from base64 import b64decode
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import yaml
from confluent_kafka.admin import AdminClient
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import BadRequest
from databricks.sdk.service.jobs import RunResultState

from cli import simulator
from cli.stack import Stack
from infra.names import MARTS
from local import supervisor
from local.engine.installation import Installed
from local.settings import REPOSITORY
from local.spark.install import jars_folder
from tests.e2e import stream_parts
from tests.e2e.conftest import Platform
from tests.e2e.readers import DELIVERED, PERSONAL, member
from tests.golden import assert_matches
from tests.inventory import inventory
from tests.local.conftest import LocalWorkspace

pytestmark = pytest.mark.timeout(4 * 3600)  # with its full counts the last but one takes hours
CLIENT = """\
import io
import json
from databricks.sdk import WorkspaceClient

client = WorkspaceClient()
print(client.jobs.run_now({job_ids[churn_bootstrap]}).result().state.result_state.value)
answer = client.statement_execution.execute_statement("SELECT 1", "{warehouse_id}", wait_timeout="50s")
print(answer.result.data_array[0][0])
client.files.upload("/Volumes/{catalog}/landing/support/hello.txt", io.BytesIO(b"hello"), overwrite=True)
print(client.files.download("/Volumes/{catalog}/landing/support/hello.txt").contents.read().decode())
client.files.delete("/Volumes/{catalog}/landing/support/hello.txt")
print(next(iter(client.pipelines.get("{pipeline_ids[churn_silver]}").latest_updates)).state.value)
customer = json.loads({customer!r})
answer = client.serving_endpoints.query("{endpoint_name}", dataframe_records=[customer])
print(0 < answer.predictions[0]["score"] < 1)
"""
RECORDS = Path(__file__).parent / "records"
LIVE_SCORES_SECONDS = 300  # a signal comes each second; the machine is shared
PLANTED = "planted-2c0f2f5b"
KEEPS_SECRETS = ("workspace.sqlite", "admin.token")  # of the local cloud itself, for its owner alone
UNREACHABLE = "http://127.0.0.1:9"  # the discard port: nothing listens there
DATE = "(SELECT max(date) FROM {catalog}.gold.churn_scores_daily)"
# counted from what was reported, apart from the code that builds features and scores
LOST = "SELECT * FROM {catalog}.mlops.row_accounting WHERE rows_in != rows_out + quarantined + superseded + erased"
ACCEPTED = """
    SELECT b.value FROM {catalog}.bronze.events b JOIN {catalog}.silver.events s
    ON b.partition = s._partition AND b.offset = s._offset WHERE s._source = 'stream' LIMIT 1
"""
ACTIVE = """
    SELECT count(*) FROM (
        SELECT max_by(struct(signup_date, churn_date), struct(as_of, _file)) AS last
        FROM {catalog}.silver.customer_versions
        WHERE as_of <= :day
        GROUP BY customer_id
    )
    WHERE last.signup_date <= :day AND (last.churn_date IS NULL OR last.churn_date > :day)
"""


def test_up_ends_with_a_table_of_what_is_there(platform: Platform) -> None:
    for expected in ("workspace", "churn_daily", "version 2", "AUC 0.", "customers on", "endpoint", "dashboard"):
        assert expected in platform.first_up


def test_every_active_customer_has_exactly_one_score(platform: Platform) -> None:
    scores = platform.number("SELECT count(*) FROM {catalog}.gold.churn_scores_daily WHERE date = " + DATE)
    customers = platform.number(
        "SELECT count(DISTINCT customer_id) FROM {catalog}.gold.churn_scores_daily WHERE date = " + DATE
    )
    assert scores == customers == platform.number(ACTIVE.replace(":day", DATE))
    assert 4000 < scores < 7043


@pytest.mark.shows("pipelines: Auto Loader fills bronze, and silver takes over every row", client="databricks-sdk")
def test_no_row_is_lost(platform: Platform) -> None:
    assert platform.rows(LOST) == []
    assert platform.number("SELECT sum(rows_in) FROM {catalog}.mlops.row_accounting") > 7043


@pytest.mark.shows("mlflow: metrics of the run that a model version names", client="databricks-sdk")
def test_the_day_was_judged_and_is_good(platform: Platform) -> None:
    found = platform.rows("SELECT table, check_name, outcome, reason FROM {catalog}.mlops.quality_results")
    assert [row for row in found if row[2] not in ("passed", "unjudged")] == []
    assert {row[0] for row in found} == {"customer", "events", "marketing", "support", "transactions", "usage"}


@pytest.mark.shows("unity catalog: masks and row filters of a deployed platform, by role", client="databricks-sdk")
def test_each_role_reads_what_it_may(platform: Platform) -> None:
    with member(platform, "churn-pii-readers") as reader:
        truth = reader.customers()
    true_values = {row[name] for row in truth for name in PERSONAL}
    assert len({row["customer_id"] for row in truth}) == len(truth) > 7000
    assert all("@" in row["email"] and row["phone"] for row in truth)
    charges = sorted(row["monthly_charges"] for row in truth)
    for role, attributes in (("engineers", True), ("scientists", True), ("analysts", False)):
        # an analyst reads the regions of the own groups
        with member(platform, f"churn-{role}", *(["churn-analysts-all"] if role == "analysts" else [])) as reader:
            seen = reader.customers()
            bronze = "" if role == "engineers" else str(reader.refused(DELIVERED))
            delivered = reader.rows(DELIVERED) if role == "engineers" else []
        assert len(seen) == len(truth)
        assert {row["region"] for row in seen} == {row["region"] for row in truth}
        assert true_values.isdisjoint(value for row in seen for value in row.values())
        assert len({row["customer_id"] for row in seen}) == len(truth), "a hash joins as the id does"
        assert all(row["email"].startswith("***@") for row in seen)
        assert {row["birth_date"][4:] for row in seen} == {"-01-01"}
        assert {row[name] for row in seen for name in ("full_name", "phone", "street", "city", "postcode")} == {None}
        assert (sorted(map(str, (row["monthly_charges"] for row in seen))) == charges) is attributes
        assert true_values.isdisjoint(value for row in delivered for value in row)
        assert role == "engineers" or "INSUFFICIENT_PERMISSIONS" in bronze
    with member(platform, "churn-analysts") as reader:
        assert reader.customers() == [], "of no region"


def test_no_secret_lies_anywhere_but_where_it_is_kept(platform: Platform) -> None:
    client, scope = platform.client(), platform.outputs()["secret_scope"]
    client.secrets.put_secret(scope, "planted", string_value=PLANTED)
    export = Stack.local(platform.settings)._quiet("stack", "export", "--show-secrets")
    state = json.loads(export)["deployment"]["resources"]
    [of_server] = [each for each in state if each["type"].endswith("ServicePrincipalSecret")]
    values = {
        "planted": PLANTED,
        "the administrator's token": platform.settings.admin_token.read_text().strip(),
        "the server's": json.loads(of_server["outputs"]["secret"]["plaintext"]),
    }
    for name in ("masks", "erasure"):  # read by each query of a masked identifier, and by `ingest`
        kept = client.secrets.get_secret(f"{scope}-{name}", "key").value or ""
        values |= {f"the key of {name}": b64decode(kept).decode(), f"the key of {name} as answered": kept}
    preview = platform.pulumi("preview", "--diff")
    assert not [name for name, value in values.items() if value in preview.stdout + preview.stderr]
    home = platform.settings.home
    files = [file for file in home.rglob("*") if file.is_file() and not file.name.startswith(KEEPS_SECRETS)]
    assert {"logs", "pulumi", "runs", "tables"} <= {file.relative_to(home).parts[0] for file in files}
    found = []
    for file in files:
        with suppress(FileNotFoundError):  # the platform runs, and files come and go
            content = file.read_bytes()
            found += [
                f"{name}: {file.relative_to(home)}" for name, value in values.items() if value.encode() in content
            ]
    assert found == []


def test_the_model_is_as_good_as_telco_permits(platform: Platform) -> None:
    outputs = platform.outputs()
    client = platform.client()
    model = client.registered_models.get(outputs["model"], include_aliases=True)
    assert {alias.alias_name: alias.version_num for alias in model.aliases or []}["champion"] == 2
    version = client.model_versions.get(outputs["model"], 2)
    run = client.experiments.get_run(version.run_id or "").run
    assert run is not None
    assert run.data is not None
    auc = {metric.key: metric.value or 0.0 for metric in run.data.metrics or []}["auc"]
    assert 0.80 < auc < 0.95


@pytest.mark.shows("engine: a deployed platform shows no change in a second preview", client="Databricks provider")
def test_preview_shows_no_change_after_up(platform: Platform) -> None:
    for arguments in ((), ("--refresh",)):  # as the state has it, and as the workspace has it
        preview = platform.pulumi("preview", "--expect-no-changes", *arguments)
        assert preview.returncode == 0, preview.stdout + preview.stderr


def test_the_topics_of_the_settings_are_on_a_real_broker(platform: Platform) -> None:
    ground = yaml.safe_load((REPOSITORY / "Pulumi.local.yaml").read_text())["config"]["churn:ground"]
    wanted = {topic["name"]: topic["partitions"] for topic in ground["aws"]["kafka"]["topics"]}
    brokers = AdminClient({"bootstrap.servers": platform.outputs()["kafka_bootstrap_brokers"]})
    topics = brokers.list_topics(timeout=30).topics
    assert {name: len(topics[name].partitions) for name in wanted} == wanted


@pytest.mark.shows("pipelines: a continuous pipeline over Kafka goes on in one update", client="databricks-sdk")
def test_events_give_live_scores_and_every_message_is_accounted_for(platform: Platform) -> None:
    started = platform.command("stream", "start", "--rate", "100")
    assert started.returncode == 0, started.stdout + started.stderr
    deadline = time.monotonic() + LIVE_SCORES_SECONDS
    while not platform.number("SELECT count(*) FROM {catalog}.gold.churn_scores_live"):
        assert time.monotonic() < deadline, platform.command("stream", "status").stdout
        time.sleep(5)
    stopped = platform.command("stream", "stop")
    assert stopped.returncode == 0, stopped.stderr
    account = platform.command("stream", "audit", "--wait", str(LIVE_SCORES_SECONDS))
    assert account.returncode == 0, account.stdout + account.stderr
    assert "every message is accounted for: 0 lost, 0 there twice" in account.stdout
    assert platform.command("stream", "status").returncode == 0
    pipeline = platform.outputs()["pipeline_ids"]["churn_stream"]
    faults = platform.client().pipelines.list_pipeline_events(pipeline, filter="level='ERROR'")
    assert [fault.message for fault in faults] == []


def test_poison_is_repaired_and_put_back_once(platform: Platform, tmp_path: Path) -> None:
    """By the commands: the simulator sends some messages that nobody can read."""
    file = tmp_path / "poison.jsonl"
    assert platform.command("stream", "quarantine", str(file)).returncode == 0
    poison = [json.loads(line) for line in file.read_text().splitlines()]
    accepted = json.loads(platform.rows(ACCEPTED)[0][0])
    repaired = [
        {**line, "value": json.dumps(accepted | {"event_id": f"repaired-{number}", "customer_id": line["key"]})}
        for number, line in enumerate(line for line in poison if line["key"])
    ][:2]
    assert repaired, poison
    file.write_text("".join(f"{json.dumps(line)}\n" for line in repaired))
    replayed = platform.command("stream", "replay", str(file))
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    of_silver = "SELECT count(*) FROM {catalog}.silver.events WHERE event_id LIKE 'repaired-%'"
    stream_parts.wait_until(lambda: platform.number(of_silver) == len(repaired))
    again = platform.command("stream", "replay", str(file))
    assert (again.returncode, "nothing was replayed" in again.stderr) == (1, True), again.stdout + again.stderr
    assert platform.command("stream", "quarantine", str(file)).returncode == 0
    assert len(file.read_text().splitlines()) == len(poison) - len(repaired)


@pytest.mark.shows("pipelines: kills of every part of the stream lose and double nothing", client="databricks-sdk")
def test_kills_while_events_come_lose_nothing_and_repeat_nothing(
    platform: Platform, kills: int, request: pytest.FixtureRequest
) -> None:
    """Begins with messages of hours that came while the pipeline stood still."""
    stream_parts.leave_behind(platform, hours=2, rate=100 if request.config.getoption("--soak") else 0.5)
    assert platform.command("stream", "start", "--rate", "50").returncode == 0
    chance = random.Random(11)  # noqa: S311 (reproducible, not secret)
    for kill in range(kills):
        part = list(stream_parts.MARKS)[kill % len(stream_parts.MARKS)]
        seen = platform.number(stream_parts.STREAMED)
        stream_parts.wait_until(lambda: platform.number(stream_parts.STREAMED) > seen)  # noqa: B023 (called at once)
        time.sleep(chance.uniform(0, 5))
        stream_parts.kill(platform, part)
        assert platform.command("local", "start").returncode == 0
        print(f"kill {kill + 1} of {kills}: {part}")
    assert simulator.running(platform.settings), "it waits for a broker that is away"
    assert simulator.stop(platform.settings)
    account = platform.command("stream", "audit", "--wait", str(LIVE_SCORES_SECONDS))
    assert "every message is accounted for: 0 lost, 0 there twice" in account.stdout, account.stdout + account.stderr
    of_silver = [tuple(row) for row in platform.rows(stream_parts.DAYS_OF_SILVER)]
    assert of_silver
    stream_parts.wait_until(lambda: stream_parts.days_of_the_online_store(platform) == of_silver)


def test_preflight_knows_the_platform_by_its_owner(platform: Platform) -> None:
    done = platform.command("preflight", "local", "--offline")
    assert done.returncode == 0, done.stdout + done.stderr
    looked_at = done.stdout.partition("\nnames\n")[2].partition("\ncompute\n")[0].splitlines()
    assert looked_at
    assert [line for line in looked_at if not line.endswith(": exists and is this platform's")] == []


def test_second_up_needs_no_build_and_no_network(platform: Platform) -> None:
    """The network is hidden from clients that ask proxies; a build, whose clients might not, is seen by its files."""
    built = _built()
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), UNREACHABLE)
    again = platform.command("up", **proxies)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "has run already" in again.stdout
    assert _built() == built
    assert len(list(platform.client().jobs.list_runs(job_id=int(platform.outputs()["job_ids"]["churn_daily"])))) == 1
    preview = platform.pulumi("preview", "--expect-no-changes")
    assert preview.returncode == 0, preview.stdout + preview.stderr


@pytest.mark.shows("engine: a changed setting changes its resource alone", client="Databricks provider")
def test_changing_one_setting_changes_just_what_it_should(platform: Platform) -> None:
    path = platform.settings.home / "Pulumi.local.yaml"
    before = path.read_text()
    document = yaml.safe_load(before)
    document["config"]["churn:platform"]["warehouse"]["auto_stop_minutes"] += 5
    path.write_text(yaml.safe_dump(document))
    try:
        preview = platform.pulumi("preview", "--json")
        read_by_people = platform.pulumi("preview", "--diff", "--color", "never", "--suppress-outputs")
    finally:
        path.write_text(before)
    assert preview.returncode == 0, preview.stdout + preview.stderr
    steps = [step for step in json.loads(preview.stdout)["steps"] if step["op"] != "same"]
    assert [(step["op"], step["urn"].split("::")[2].split("$")[-1]) for step in steps] == [
        ("update", "databricks:index/sqlEndpoint:SqlEndpoint")
    ]
    assert read_by_people.returncode == 0, read_by_people.stdout + read_by_people.stderr
    assert_matches(RECORDS / "preview_of_one_setting.txt", _comparable(read_by_people.stdout))


@pytest.mark.shows("serving: a model of Unity Catalog is served and asked for predictions", client="databricks-sdk")
def test_the_endpoint_serves_the_champion(platform: Platform) -> None:
    client = platform.client()
    name = platform.outputs()["endpoint_name"]
    config = client.serving_endpoints.get(name).config
    assert config is not None
    assert [entity.entity_version for entity in config.served_entities or []] == ["2"]
    answer = client.serving_endpoints.query(name, dataframe_records=[_customer(platform)])
    assert answer.predictions is not None
    assert 0 < answer.predictions[0]["score"] < 1


@pytest.mark.shows(
    "serving: an endpoint acts as a service principal that signs in by OAuth",
    client="Databricks provider",
)
def test_the_endpoint_acts_as_a_principal_that_can_do_little(platform: Platform) -> None:
    client = platform.client()
    outputs = platform.outputs()
    creator = client.serving_endpoints.get(outputs["endpoint_name"]).creator
    (server,) = client.service_principals.list(filter='displayName eq "churn-local-server"')
    assert creator == server.application_id
    for kind, name, privileges in (
        ("catalog", outputs["catalog"], ["USE_CATALOG"]),
        ("schema", outputs["model"].rpartition(".")[0], ["USE_SCHEMA"]),
        ("function", outputs["model"], ["EXECUTE"]),
    ):
        (held,) = client.grants.get(kind, name, principal=creator).privilege_assignments or []
        assert [privilege.value for privilege in held.privileges or []] == privileges
    resources = Stack.local(platform.settings).resources()
    (secret,) = [item for item in resources if item["type"].endswith(":ServicePrincipalSecret")]
    assert set(secret["outputs"]["secret"]) >= {"ciphertext"}, "it is a secret of the state"


@pytest.mark.shows("serving: an endpoint keeps its version where the alias is lost", client="Pulumi engine")
def test_a_lost_champion_leaves_the_endpoint_as_it_is(platform: Platform) -> None:
    model = platform.outputs()["model"]
    owner = platform.client().registered_models.get(model).owner
    cloud = LocalWorkspace(platform.settings)
    models = cloud.client(cloud.token_of(owner or "")).registered_models
    models.delete_alias(model, "champion")
    try:
        preview = platform.pulumi("preview", "--expect-no-changes")
    finally:
        models.set_alias(model, "Champion", 2)  # aliases ignore case
    assert preview.returncode == 0, preview.stdout + preview.stderr
    assert "keeps version 2" in preview.stdout + preview.stderr
    preview = platform.pulumi("preview", "--expect-no-changes")
    assert preview.returncode == 0, preview.stdout + preview.stderr
    assert "keeps version" not in preview.stdout + preview.stderr


def test_an_endpoint_that_is_gone_is_made_anew_once_there_is_a_champion(
    platform: Platform, request: pytest.FixtureRequest
) -> None:
    if not request.config.getoption("--soak"):
        pytest.skip("an endpoint takes minutes: only with --soak")
    model = platform.outputs()["model"]
    cloud = LocalWorkspace(platform.settings)
    models = cloud.client(cloud.token_of(platform.client().registered_models.get(model).owner or "")).registered_models
    platform.client().serving_endpoints.delete(platform.outputs()["endpoint_name"])
    models.delete_alias(model, "champion")
    refused = platform.pulumi("preview", "--refresh")
    models.set_alias(model, "champion", 2)
    assert refused.returncode != 0
    assert "so there is nothing to serve" in refused.stdout + refused.stderr
    made = platform.pulumi("up", "--refresh", "--yes", "--skip-preview")
    assert made.returncode == 0, made.stdout + made.stderr
    scored = platform.client().serving_endpoints.query(
        platform.outputs()["endpoint_name"], dataframe_records=[_customer(platform)]
    )
    assert scored.predictions


@pytest.mark.shows("serving: a wrong payload is a 400 that names the field", client="databricks-sdk")
def test_the_endpoint_names_the_field_of_a_wrong_payload(platform: Platform) -> None:
    customer = _customer(platform)
    del customer["monthly_charges"]
    with pytest.raises(BadRequest, match="monthly_charges"):
        platform.client().serving_endpoints.query(platform.outputs()["endpoint_name"], dataframe_records=[customer])


@pytest.mark.shows("api: the SDK finds the workspace by DATABRICKS_HOST and DATABRICKS_TOKEN", client="databricks-sdk")
def test_the_official_sdk_needs_only_the_environment(platform: Platform, tmp_path: Path) -> None:
    program = tmp_path / "client.py"
    program.write_text(CLIENT.format(**platform.outputs(), customer=json.dumps(_customer(platform))))
    place = f"PLATFORM_HOME={platform.settings.home} PLATFORM_PORT={platform.settings.port}"
    exports = f'{place} {sys.executable} -c "from cli.main import main; main()" local env'
    shell = f'eval "$({exports})" && {sys.executable} {program}'
    done = subprocess.run(["bash", "-c", shell], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.split() == ["SUCCESS", "1", "hello", "COMPLETED", "True"]


@pytest.mark.shows(
    "pipelines: rows are deleted from streaming tables, and what reads them goes on", client="databricks-sdk"
)
def test_a_customer_is_erased_everywhere_and_the_next_day_adds_a_day(platform: Platform) -> None:
    first = platform.rows("SELECT cast(max(date) AS string) FROM {catalog}.gold.churn_scores_daily")[0][0]
    (customer,) = platform.rows("SELECT max(customer_id) FROM {catalog}.gold.churn_scores_daily")[0]
    tables = ("bronze.events", "silver.customer", "silver.usage_versions", "silver.events", "gold.churn_features")
    keys = {table: "key" if table == "bronze.events" else "customer_id" for table in tables}
    counts = {
        table: f"SELECT count(*) FROM {{catalog}}.{table} WHERE {key} = '{customer}'" for table, key in keys.items()
    }
    assert all(platform.number(counts[table]) for table in ("silver.customer", "gold.churn_features"))
    done = platform.command("erase", "--customer", customer)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "recorded in mlops.erasures as" in done.stdout
    assert {table: platform.number(count) for table, count in counts.items()} == dict.fromkeys(counts, 0)
    parameters = [run.job_parameters for run in platform.client().jobs.list_runs(expand_tasks=True)]
    assert customer not in str(parameters), "what a run was given is kept for weeks"
    second = platform.rows(f"SELECT cast(date_add(DATE'{first}', 1) AS string)")[0][0]
    done = platform.command("run", "churn_daily", "--date", second)
    assert done.returncode == 0, done.stdout + done.stderr
    days = platform.rows("SELECT cast(date AS string), count(*) FROM {catalog}.gold.churn_scores_daily GROUP BY 1")
    assert {day for day, _ in days} == {first, second}
    assert dict(days)[second] == str(platform.number(ACTIVE.replace(":day", f"DATE'{second}'")))
    assert platform.rows(LOST) == []
    assert platform.number("SELECT sum(erased) FROM {catalog}.mlops.row_accounting") > 0
    assert platform.number(counts["gold.churn_features"]) == 0


def test_a_day_run_again_changes_nothing(platform: Platform) -> None:
    whole = ("bronze.deliveries", "silver.customer", "gold.churn_features", "gold.churn_labels", "mlops.row_accounting")
    tables = {
        **dict.fromkeys([*whole, *MARTS], "*"),
        "gold.churn_scores_daily": "customer_id, date, score, band, model_version",
    }

    def digests() -> dict[str, list[list[str]]]:
        hashes = {table: f"SELECT count(*), sum(hash({columns}))" for table, columns in tables.items()}
        return {table: platform.rows(f"{select} FROM {{catalog}}.{table}") for table, select in hashes.items()}

    before = digests()
    day = platform.rows("SELECT cast(max(date) AS string) FROM {catalog}.gold.churn_scores_daily")[0][0]
    done = platform.command("run", "churn_daily", "--date", day)
    assert done.returncode == 0, done.stdout + done.stderr
    assert digests() == before


def test_a_killed_service_is_named_and_comes_back(platform: Platform) -> None:
    _kill(platform, "workspace")
    doctor = platform.command("doctor")
    assert doctor.returncode == 1
    assert "workspace" in doctor.stdout
    assert "platform local start" in doctor.stdout
    assert platform.command("local", "start").returncode == 0
    assert platform.command("doctor").returncode == 0
    assert platform.client().jobs.get(int(platform.outputs()["job_ids"]["churn_daily"])).settings is not None


def test_kills_during_a_run_lose_nothing(platform: Platform, kills: int) -> None:
    chance = random.Random(7)  # noqa: S311 (reproducible, not secret)
    client, outputs = platform.client(), platform.outputs()
    job_id = int(outputs["job_ids"]["churn_daily"])
    for kill in range(kills):
        day = platform.rows("SELECT cast(date_add(max(date), 1) AS string) FROM {catalog}.gold.churn_scores_daily")
        run = client.jobs.run_now(job_id, job_parameters={"date": day[0][0]})
        time.sleep(chance.uniform(3, 60))
        service = ("spark", "workspace", "mlflow")[kill % 3]
        _kill(platform, service)
        assert platform.command("local", "start").returncode == 0
        ended = _wait_for_the_end(client, run.run_id)
        if kill % 2:  # people go on in two ways
            done = platform.command("run", "churn_daily", "--date", day[0][0])
            assert done.returncode == 0, f"after {service} was killed:\n{done.stdout}{done.stderr}"
        elif ended != RunResultState.SUCCESS:
            client.jobs.repair_run(run.run_id, rerun_all_failed_tasks=True)
            repaired = _wait_for_the_end(client, run.run_id)
            assert repaired == RunResultState.SUCCESS, f"{repaired} after {service} was killed"
        test_no_row_is_lost(platform)
        test_every_active_customer_has_exactly_one_score(platform)
        assert platform.rows("SELECT cast(max(date) AS string) FROM {catalog}.gold.churn_scores_daily") == day
        print(f"kill {kill + 1} of {kills}: {service}, the run ended as {ended.value}, {day[0][0]} is whole")


def test_the_workspace_refuses_a_bad_token(platform: Platform) -> None:
    request = urllib.request.Request(  # noqa: S310 (our own address)
        f"{platform.settings.workspace_url}/api/2.2/jobs/list", headers={"Authorization": "Bearer wrong"}
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)  # noqa: S310 (our own address)
    assert refused.value.code == 401


def test_down_is_refused_first_and_leaves_nothing(platform: Platform) -> None:
    assert len(_processes(platform.settings.home)) > 5
    down = platform.command("down")
    assert down.returncode == 0, down.stdout + down.stderr
    refused = re.search(r"destroy refuses while data is protected .*", down.stdout)
    assert refused is not None, down.stdout
    assert "cannot be deleted" in refused[0]
    assert (REPOSITORY / "Pulumi.local.yaml").exists()
    assert not supervisor.running(platform.settings)
    assert _processes(platform.settings.home) == []
    assert platform.command("local", "start").returncode == 0
    client = platform.client()
    own = {"groups": {"admins", "users"}, "users": {"admin@churn.local"}}  # of every local workspace
    assert {kind: names for kind, names in inventory(client).items() if names} == own
    for folder in ("/Shared", "/Users/admin@churn.local"):
        assert list(client.workspace.list(folder)) == []  # no empty folder either
    assert platform.command("local", "stop").returncode == 0
    assert _processes(platform.settings.home) == []


def _comparable(preview: str) -> str:
    """A preview without what differs from stack to stack: ids, and how many resources do not change."""
    for differing, mark in (
        (r"\[id=[^\]]+\]", "[id=…]"),
        (r"::[0-9a-f-]{36}\]", "::…]"),  # of the provider
        (r"\d+ unchanged", "… unchanged"),
    ):
        preview = re.sub(differing, mark, preview)
    return preview


def _processes(home: Path) -> list[str]:
    """Command lines of the processes that belong to a local cloud.

    They name its home, have it in their environment (services), or work in a folder below it (tasks, models).
    """
    found = []
    for process in psutil.process_iter():
        try:
            command = process.cmdline()
            belongs = process.environ().get("PLATFORM_HOME") == str(home) or Path(process.cwd()).is_relative_to(home)
        except (psutil.NoSuchProcess, psutil.ZombieProcess, psutil.AccessDenied):  # of another user: none of ours
            continue
        if belongs or str(home) in " ".join(command):
            found.append(" ".join(command))
    return found


def _built() -> dict[Path, int]:
    """Every file that `platform install` makes, and when it was last written."""
    installed = Installed.locate()
    folders = (installed.engine, installed.provider, jars_folder(), REPOSITORY / "workloads" / "dist")
    files = {path: path.lstat().st_mtime_ns for folder in folders for path in folder.rglob("*") if not path.is_dir()}
    for needed in (installed.cli, installed.provider_binary):
        assert needed in files
    return files


def _kill(platform: Platform, service: str) -> None:
    statuses = supervisor.statuses(platform.settings)
    [pid] = [status.pid for status in statuses if status.name == service]
    assert pid > 0, f"{service} does not run, and 0 would be this test's own group: {statuses}"
    os.kill(pid, signal.SIGKILL)


def _wait_for_the_end(client: WorkspaceClient, run_id: int) -> RunResultState:
    """Waits until a run has a result, whichever: none may hang."""
    deadline = time.monotonic() + 900
    while True:
        state = client.jobs.get_run(run_id).state
        if state is not None and state.result_state is not None:
            return state.result_state
        assert time.monotonic() < deadline, f"run {run_id} hangs: {state}"
        time.sleep(1)


def _customer(platform: Platform) -> dict[str, object]:
    """A scored customer's features, as a payload."""
    spec = platform.client().serving_endpoints.get(platform.outputs()["endpoint_name"])
    assert spec.name is not None
    outputs = platform.outputs()
    answer = platform.client().statement_execution.execute_statement(
        f"SELECT * FROM {outputs['catalog']}.gold.churn_features LIMIT 1", outputs["warehouse_id"], wait_timeout="50s"
    )
    assert answer.manifest is not None
    assert answer.manifest.schema is not None
    assert answer.result is not None
    row = (answer.result.data_array or [])[0]
    customer: dict[str, object] = {}
    for column, value in zip(answer.manifest.schema.columns or [], row, strict=True):
        kind = column.type_name.value if column.type_name else "STRING"
        number = kind in ("INT", "LONG", "DOUBLE", "FLOAT", "SHORT")
        if column.name not in ("customer_id", "observation_date"):
            customer[column.name or ""] = json.loads(value) if number and value is not None else value
    return customer
