"""Grants, permissions and roles: no blanket rights, few for all users, and one group that manages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from policies.rule import Violation, items, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policies.rule import Resource

EVERYBODY = ("account users", "users")
FOR_EVERYBODY = {"BROWSE", "USE_CATALOG"}  # on a catalog, so that people find what they may request
LEVELS_FOR_EVERYBODY = {"CAN_READ", "CAN_USE", "CAN_VIEW"}
OPENS_SECRETS = {"SecretAcl": "principal", "SecretScope": "initialManagePrincipal"}
ADMINISTERS = "ADMIN"  # of a workspace: it is outside of every grant and permission
ROLES_OF_PRINCIPALS = ("GroupRole", "ServicePrincipalRole", "UserRole")
ROLES_OF_ACCOUNT = ("account_admin", "account admin", "billing_admin", "marketplace.admin", "metastore_admin")
CHANGES = ("CAN_EDIT", "CAN_MANAGE", "IS_OWNER")
# What runs in production or is shown to people, by the argument with its id; jobs are run again by whoever operates it.
RUNS = ("dashboardId", "experimentId", "pipelineId", "servingEndpointId", "sqlEndpointId")
CREATES_AT_WILL = ("allowClusterCreate", "allowInstancePoolCreate")  # regardless of any cluster policy


def _is_everybody(principal: Any) -> bool:
    return isinstance(principal, str) and principal.casefold() in EVERYBODY


def _least_privilege(resource: Resource) -> Iterator[Violation]:
    for entitlement in CREATES_AT_WILL:
        if resource.inputs.get(entitlement) is True:
            yield Violation(entitlement, True, "leave it out, and let people use a cluster policy")
    if resource.kind == "Permissions":
        yield from _levels(resource)
    elif resource.kind == "AccessControlRuleSet":
        yield from _roles(resource)
    elif field := OPENS_SECRETS.get(resource.kind):
        principal = resource.inputs.get(field)
        if _is_everybody(principal):
            yield Violation(field, principal, "give a group of those who need the secrets a SecretAcl of its own")
    else:
        yield from _privileges(resource)


def _levels(resource: Resource) -> Iterator[Violation]:
    """Yields the permission levels that all users must not have.

    To read, view or use an object changes nothing. With every other level all users could change the object, or run it
    with the rights of another principal, as a job or an endpoint does. A new level is refused until somebody has judged
    it.
    """
    for path, control in items(resource.inputs, "accessControls"):
        group, level = control.get("groupName"), control.get("permissionLevel")
        if _is_everybody(group) and isinstance(level, str) and level not in LEVELS_FOR_EVERYBODY:
            yield Violation(
                f"{path}.groupName",
                group,
                f"give {level} to a group of those who need it; all users may have at most "
                f"{' or '.join(sorted(LEVELS_FOR_EVERYBODY))}",
            )


def _roles(resource: Resource) -> Iterator[Violation]:
    for path, grant_rule in items(resource.inputs, "grantRules"):
        principals = grant_rule.get("principals")
        for index, principal in enumerate(principals if isinstance(principals, list) else []):
            if isinstance(principal, str) and _is_everybody(principal.removeprefix("groups/")):
                yield Violation(f"{path}.principals[{index}]", principal, "give the role to those who need it")


def _privileges(resource: Resource) -> Iterator[Violation]:
    single = resource.kind == "Grant"
    grants = [("", resource.inputs)] if single else items(resource.inputs, "grants")
    for_everybody = FOR_EVERYBODY if resource.inputs.get("catalog") is not None else set()
    for path, grant in grants:
        dot = f"{path}." if path else ""
        listed = grant.get("privileges")
        known = [privilege for privilege in listed if isinstance(privilege, str)] if isinstance(listed, list) else []
        privileges = [privilege.replace(" ", "_").upper() for privilege in known]
        if "ALL_PRIVILEGES" in privileges:
            yield Violation(f"{dot}privileges", privileges, "list the privileges that the principal needs")
        principal = grant.get("principal")
        refused = sorted(set(privileges) - for_everybody)
        if _is_everybody(principal) and refused:
            yield Violation(
                f"{dot}principal",
                principal,
                f"grant {', '.join(refused)} to a group; all users may have "
                f"{' and '.join(sorted(FOR_EVERYBODY))} on a catalog only",
            )


def _administrators(resource: Resource) -> Iterator[Violation]:
    """Yields rights over a whole workspace or account that people get: a deployer is a service principal.

    An assignment by the account names its principal by a number, which may be anybody's; a workspace's own names it.
    """
    listed = resource.inputs.get("permissions")
    if resource.kind == "PermissionAssignment" and isinstance(listed, list) and ADMINISTERS in listed:
        for field in ("groupName", "userName"):
            if (principal := resource.inputs.get(field)) is not None:
                yield Violation(field, principal, f"give {ADMINISTERS} to a deployer's service principal alone")
    role = resource.inputs.get("role")
    if resource.kind in ROLES_OF_PRINCIPALS and isinstance(role, str) and role.casefold() in ROLES_OF_ACCOUNT:
        yield Violation("role", role, "leave roles of the account to its administrators")


def _one_manager(resource: Resource) -> Iterator[Violation]:
    """Yields whoever may grant a securable, or change what runs in production, beside the first group that may."""
    if resource.kind == "Grant":
        listed = resource.inputs.get("privileges")
        if isinstance(listed, list) and "MANAGE" in listed:
            yield Violation("privileges", listed, "let the one Grants of the securable say who manages it")
        return
    managers = [*(_who_changes(resource) if resource.kind == "Permissions" else _who_grants(resource))]
    people = [(path, principal) for path, principal in managers if "@" in principal]
    for path, principal in people or managers[1:]:
        yield Violation(path, principal, "let one group manage it, the one that owns the platform")


def _who_changes(resource: Resource) -> Iterator[tuple[str, str]]:
    """Where each group or user stands who may change what runs in production."""
    if not resource.in_production or all(resource.inputs.get(field) is None for field in RUNS):
        return
    for path, control in items(resource.inputs, "accessControls"):
        for field in ("groupName", "userName"):
            principal = control.get(field)
            if isinstance(principal, str) and control.get("permissionLevel") in CHANGES:
                yield f"{path}.{field}", principal


def _who_grants(resource: Resource) -> Iterator[tuple[str, str]]:
    """Where each principal stands who may grant a securable."""
    for path, grant in items(resource.inputs, "grants"):
        principal, listed = grant.get("principal"), grant.get("privileges")
        if isinstance(principal, str) and isinstance(listed, list) and "MANAGE" in listed:
            yield f"{path}.principal", principal


RULES = [
    rule(
        "administrators",
        "Nobody but a deployer's service principal administers a workspace, and no program gives roles of the account.",
        _administrators,
        ("PermissionAssignment", *ROLES_OF_PRINCIPALS),
    ),
    rule(
        "one-manager",
        "One group may grant a securable; in production one group may change pipelines, endpoints, warehouses, "
        "experiments and dashboards.",
        _one_manager,
        ("Grant", "Grants", "Permissions"),
    ),
    rule(
        "least-privilege",
        "Nobody has ALL_PRIVILEGES, or may create clusters and pools outside of the cluster policies. All users may "
        "only find and enter a catalog, and read or use an object of the workspace.",
        _least_privilege,
        (
            "AccessControlRuleSet",
            "Entitlements",
            "Grant",
            "Grants",
            "Group",
            "Permissions",
            "SecretAcl",
            "SecretScope",
            "ServicePrincipal",
            "User",
        ),
    ),
]
