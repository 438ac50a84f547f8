"""The churn platform, from the account at the top to what people use at the bottom."""
# ruff: noqa: E402

from __future__ import annotations

import gc

# The provider's SDK makes so many objects, which all last, that looking for garbage among them is half of its import.
gc.disable()

import pulumi
import pulumi_databricks as databricks
from pulumi.runtime.config import CONFIG

from infra.access.plan import plan_access
from infra.layers.account.account import Account, AccountArgs
from infra.layers.platform.areas import Area, AreaArgs
from infra.layers.platform.artifacts import PIPELINES, WHEELS, Artifacts, ArtifactsArgs, find_wheel
from infra.layers.platform.compute import Compute, ComputeArgs
from infra.layers.platform.dashboard import DASHBOARD, Analytics, AnalyticsArgs, serialized
from infra.layers.platform.grants import CatalogGrants, CatalogGrantsArgs
from infra.layers.platform.jobs import Jobs, JobsArgs
from infra.layers.platform.pipelines import Pipelines, PipelinesArgs
from infra.layers.platform.serving import Model, ModelArgs, Serving, ServingArgs
from infra.layers.platform.storage import Storage, StorageArgs
from infra.layers.platform.tracking import Tracking, TrackingArgs
from infra.names import MARTS
from infra.once.run_once import RunOnce, RunOnceArgs
from infra.written.contracts import read_contracts
from infra.written.faults import FaultsError
from infra.written.requests import read_requests
from infra.written.stacks import load

gc.freeze()  # nor are they looked through at the end of the process, which takes as long again

# What people have written: settings, contracts, requests, code. All of it is read before anything is made.
try:
    settings = load(pulumi.get_stack(), CONFIG.get())
    contracts = read_contracts(settings.group_names)
    requests = read_requests(settings)
    plan = plan_access(settings, contracts, requests)
    wheel = find_wheel(WHEELS)
except FaultsError as error:
    raise pulumi.RunError(str(error)) from None
stack, catalog, groups, runner = settings.stack, settings.catalog, settings.account.groups, settings.runner
prefix = f"churn-{stack}"

# The workspace. Its host stands in the settings; its credentials stay in the environment.
provider = databricks.Provider("workspace", host=settings.workspace.host)
workspace = pulumi.ResourceOptions(providers=[provider])

# Account: groups, the identity that runs everything, the metastore.
metastore_id = settings.account.metastore_id
account = Account(
    "account",
    AccountArgs(
        own=settings.account.own,
        console=settings.account.console,
        workspace_id=settings.workspace.id,
        groups=settings.group_names,
        runner=runner,
        deployer=settings.workspace.deployer,
        metastore_id=str(metastore_id) if metastore_id else None,
        protect=settings.protect_data,
    ),
    workspace,
)

# Data: the catalog, what teams have asked for in it, and the registered model. The deployer makes a team's volume in a
# schema that is the team's by then, which needs privileges on the catalog first.
storage = Storage(
    "storage",
    StorageArgs(
        catalog=catalog,
        metastore_id=account.metastore_id,
        root=settings.storage_root,
        domains=[contract.table.split(".")[1] for contract in contracts],
        protect=settings.protect_data,
    ),
    workspace,
)
principals = {runner: account.runner_application_id}
catalog_access = CatalogGrants(
    "catalog-access",
    CatalogGrantsArgs({on: held for on, held in plan.items() if on.kind == "catalog"}, principals),
    pulumi.ResourceOptions(providers=[provider], depends_on=[account, storage]),
)
areas = [
    Area(
        f"area-{request.schema_name}",
        AreaArgs(catalog=storage.catalog, request=request, protect=settings.protect_data),
        pulumi.ResourceOptions(providers=[provider], depends_on=[account, catalog_access]),
    )
    for request in requests
]
model = Model(
    "model",
    ModelArgs(
        catalog=storage.catalog,
        schema=storage.schemas["mlops"].name,
        owner=account.runner_application_id,
        protect=settings.protect_data,
    ),
    workspace,
)

# Access: the rest of the plan of all grants. Those on tables wait until the pipelines have made them.
access = CatalogGrants(
    "access",
    CatalogGrantsArgs({on: held for on, held in plan.items() if on.kind not in ("catalog", "table")}, principals),
    pulumi.ResourceOptions(providers=[provider], depends_on=[catalog_access, model, *areas]),
)

# Code, tracking and compute.
artifacts = Artifacts(
    "artifacts",
    ArtifactsArgs(
        folder=f"/Users/{settings.workspace.deployer}/{prefix}",
        runner=account.runner_application_id,
        groups=groups,
        wheel=wheel,
        sources=[PIPELINES / "bronze.py", PIPELINES / "silver.py"],
        protect=settings.protect_data,
    ),
    pulumi.ResourceOptions(providers=[provider], depends_on=[account]),
)
tracking = Tracking(
    "tracking",
    TrackingArgs(
        folder=artifacts.folder.path,
        runner=account.runner_application_id,
        groups=groups,
        protect=settings.protect_data,
    ),
    pulumi.ResourceOptions(providers=[provider], depends_on=[account]),
)
compute = Compute(
    "compute",
    ComputeArgs(
        prefix=prefix,
        stack=stack,
        settings=settings.compute,
        warehouse=settings.warehouse,
        groups=groups,
        runner=account.runner_application_id,
        protect=settings.protect_data,
    ),
    pulumi.ResourceOptions(providers=[provider], depends_on=[account]),
)

# The path of a day: deliveries, bronze, silver, features, model, scores, marts.
pipelines = Pipelines(
    "pipelines",
    PipelinesArgs(
        catalog=storage.catalog,
        sources=artifacts.sources,
        wheel=artifacts.wheel,
        spark_conf=settings.compute.spark_conf,
        runner=account.runner_application_id,
        groups=groups,
        notify=settings.daily.notify,
        protect=settings.protect_data,
    ),
    pulumi.ResourceOptions(providers=[provider], depends_on=[access, artifacts]),
)
jobs = Jobs(
    "jobs",
    JobsArgs(
        stack=stack,
        catalog=storage.catalog,
        model=model.full_name,
        experiment_id=tracking.experiment_id,
        wheel=artifacts.wheel,
        pipeline_ids=pipelines.ids,
        policy_id=compute.policy_id,
        runner=account.runner_application_id,
        logical_date=settings.logical_date,
        compute=settings.compute,
        daily=settings.daily,
        simulation=settings.simulation,
        training=settings.training,
        groups=groups,
    ),
    pulumi.ResourceOptions(providers=[provider], depends_on=[access, artifacts, tracking, compute]),
)

# What must have run once: pipelines and jobs before grants on their tables, the bootstrap model before its endpoint.
host = settings.workspace.host
tables = ",".join(contract.table for contract in contracts)
begun = ",".join([f"{catalog}.mlops.churn_model", *MARTS])
first_bronze = RunOnce(
    "first-bronze",
    RunOnceArgs(host, fingerprint=tables, pipeline_id=pipelines.ids["churn_bronze"]),
    pulumi.ResourceOptions(depends_on=[pipelines, access]),
)
first_silver = RunOnce(
    "first-silver",
    RunOnceArgs(host, fingerprint=tables, pipeline_id=pipelines.ids["churn_silver"]),
    pulumi.ResourceOptions(depends_on=[first_bronze]),
)
bootstrap = RunOnce(
    "bootstrap",
    RunOnceArgs(host, fingerprint=begun, job_id=jobs.ids["churn_bootstrap"]),
    pulumi.ResourceOptions(depends_on=[jobs, access]),
)
table_access = CatalogGrants(
    "table-access",
    CatalogGrantsArgs({on: held for on, held in plan.items() if on.kind == "table"}, principals),
    pulumi.ResourceOptions(providers=[provider], depends_on=[first_silver, bootstrap]),
)

# What people and systems use: the endpoint and the dashboard.
serving = Serving(
    "serving",
    ServingArgs(
        endpoint=prefix, model=model.full_name, registered=[bootstrap], settings=settings.serving, groups=groups
    ),
    workspace,
)
analytics = Analytics(
    "analytics",
    AnalyticsArgs(
        stack=stack,
        folder=artifacts.folder.path.apply(lambda path: f"/Workspace{path}"),
        warehouse_id=compute.warehouse_id,
        dashboard=serialized(DASHBOARD, catalog),
        groups=groups,
    ),
    pulumi.ResourceOptions(providers=[provider], depends_on=[account]),
)

pulumi.export("workspace_url", host)
pulumi.export("warehouse_id", compute.warehouse_id)
pulumi.export("secret_scope", compute.secret_scope)
pulumi.export("endpoint_name", serving.endpoint_name)
pulumi.export(
    "endpoint_url", pulumi.Output.format("{0}/serving-endpoints/{1}/invocations", host, serving.endpoint_name)
)
pulumi.export("dashboard_url", pulumi.Output.format("{0}/dashboardsv3/{1}/published", host, analytics.dashboard_id))
pulumi.export("job_ids", jobs.ids)
pulumi.export("pipeline_ids", pipelines.ids)
pulumi.export("catalog", storage.catalog)
pulumi.export("model", model.full_name)
