"""The churn platform: reads what people wrote, deploys the layers that the stack has, exports what others use."""

from __future__ import annotations

from infra.quick_import import quick_import

with quick_import():
    import pulumi
    from pulumi.runtime.config import CONFIG

    from churn.core.faults import FaultsError
    from infra.check import read_everything
    from infra.context import Context
    from infra.layers.account.layer import deploy_account
    from infra.layers.ground.layer import deploy_ground
    from infra.layers.platform.layer import deploy_platform
    from infra.layers.workspace_provider import workspace_provider
    from infra.registrations import Registrations
    from infra.resource_options import add_options_of_class

# What people wrote. All of it is read before anything is made.
try:
    written = read_everything(pulumi.get_stack(), CONFIG.get())
except FaultsError as error:
    raise pulumi.RunError(str(error)) from None
settings, sources = written.settings, written.platform

pulumi.runtime.register_stack_transformation(add_options_of_class)
registrations = Registrations()
pulumi.runtime.register_stack_transformation(registrations.note)

# The workspace. Its host stands in the settings; its credentials stay in the environment.
workspace = workspace_provider("workspace", sources.settings.workspace) if sources else None

# The account: groups, the metastore, governed tags, what serverless compute may reach, the budget.
account = deploy_account(settings.account, workspace) if settings.account else None
if account:
    pulumi.export("metastore_id", account.metastore_id)

# The ground: what the platform stands on in the cloud.
ground = deploy_ground(settings, settings.ground) if settings.ground else None
for name, value in vars(ground).items() if ground else ():
    if value is not None:
        pulumi.export(name, value)

# The platform: everything inside the workspace. It names groups and tags, so those of its own stack come first.
if sources and workspace and ground:
    context = Context(settings, sources, workspace)
    platform = deploy_platform(context, ground, after=account.awaited if account else [])
    for name, value in vars(platform).items():
        if value is not None:
            pulumi.export(name, value)

pulumi.run(registrations.ended)
