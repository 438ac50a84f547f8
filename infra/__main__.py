"""The churn platform: reads what people wrote, deploys the layers that the stack has, exports what others use."""

from __future__ import annotations

from infra.quick_import import quick_import

with quick_import():
    import pulumi
    import pulumi_databricks as databricks
    from pulumi.runtime.config import CONFIG

    from churn.core.faults import FaultsError
    from infra.access.plan import plan_access
    from infra.context import Context
    from infra.layers.account.layer import deploy_account
    from infra.layers.ground.layer import find_ground
    from infra.layers.platform.artifacts import find_wheel
    from infra.layers.platform.layer import deploy_platform
    from infra.written import paths
    from infra.written.contracts import read_contracts
    from infra.written.requests import read_requests
    from infra.written.stacks import settings_in_program

# What people wrote. All of it is read before anything is made.
try:
    settings = settings_in_program(pulumi.get_stack(), CONFIG.get())
    if settings.platform:
        contracts = read_contracts(settings.platform.group_names)
        requests = read_requests(settings.stack, settings.platform)
        plan = plan_access(settings, contracts, requests)
        wheel = find_wheel(paths.WHEELS)
except FaultsError as error:
    raise pulumi.RunError(str(error)) from None

# The workspace. Its host stands in the settings; its credentials stay in the environment.
workspace = databricks.Provider("workspace", host=settings.platform.workspace.host) if settings.platform else None

# The account: groups and the metastore.
account = deploy_account(settings.account, workspace) if settings.account else None
if account:
    pulumi.export("metastore_id", account.metastore_id)

# The ground: what the platform stands on in the cloud.
ground = find_ground(settings.ground) if settings.ground else None
if ground:
    pulumi.export("storage_root", ground.storage_root)

# The platform: everything inside the workspace.
if settings.platform and workspace and ground:
    context = Context(settings, settings.platform, contracts, requests, plan, wheel, workspace)
    platform = deploy_platform(context, ground, after=[account.groups] if account else [])
    for name, value in vars(platform).items():
        pulumi.export(name, value)
