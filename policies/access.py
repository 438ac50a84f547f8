"""Grants and permissions: no blanket rights, and few for all users."""

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


RULES = [
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
