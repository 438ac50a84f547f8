"""The churn platform: reads what people wrote, deploys the layers that the stack has, exports what others use."""

from __future__ import annotations

from infra.quick_import import quick_import

with quick_import():
    import pulumi
    import pulumi_databricks as databricks
    from pulumi.runtime.config import CONFIG

    from churn.core.faults import FaultsError
    from infra.check import read_everything
    from infra.context import Context
    from infra.layers.account.layer import deploy_account
    from infra.layers.ground.layer import deploy_ground
    from infra.layers.platform.layer import deploy_platform

# What people wrote. All of it is read before anything is made.
try:
    written = read_everything(pulumi.get_stack(), CONFIG.get())
except FaultsError as error:
    raise pulumi.RunError(str(error)) from None
settings, sources = written.settings, written.platform

# The workspace. Its host stands in the settings; its credentials stay in the environment.
# An id of the settings has to be that of the host: the provider refuses another.
adopted = settings.ground.adopted_workspace if settings.ground else None
workspace_id = str(adopted.id) if adopted else None
workspace = (
    databricks.Provider("workspace", host=sources.settings.workspace.host, workspace_id=workspace_id)
    if sources
    else None
)

# The account: groups, the metastore, governed tags, what serverless compute may reach, the budget.
account = deploy_account(settings.account, written.contracts, workspace) if settings.account else None
if account:
    pulumi.export("metastore_id", account.metastore_id)

# The ground: what the platform stands on in the cloud.
ground = deploy_ground(settings, settings.ground) if settings.ground else None
for name, value in vars(ground).items() if ground else ():
    if value is not None:
        pulumi.export(name, value)

# The platform: everything inside the workspace. It names groups, so those of its own stack are made first.
if sources and workspace and ground:
    context = Context(settings, sources, workspace)
    platform = deploy_platform(context, ground, after=[account.groups] if account else [])
    for name, value in vars(platform).items():
        pulumi.export(name, value)
