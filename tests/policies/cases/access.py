"""Cases of the rules on grants and permissions."""

from __future__ import annotations

from tests.policies.cases.case import Case
from tests.policies.cases.inputs import ANALYSTS, control, grants, roles

CASES = [
    Case("least-privilege", "Grants", grants("churn-analysts", ["ALL_PRIVILEGES"]), "['ALL_PRIVILEGES']", ANALYSTS),
    Case("least-privilege", "Grants", grants("account users", ["SELECT"]), "principal is 'account users'", ANALYSTS),
    Case(
        "least-privilege",
        "Permissions",
        control("users", "CAN_MANAGE"),
        "accessControls[0].groupName is 'users'",
        control("users", "CAN_USE"),
    ),
    Case(
        "least-privilege",
        "SecretAcl",
        {"scope": "churn", "principal": "users", "permission": "READ"},
        "principal is 'users'",
        {"scope": "churn", "principal": "churn-engineers", "permission": "READ"},
    ),
    Case(
        "least-privilege",
        "SecretScope",
        {"name": "churn", "initialManagePrincipal": "users"},
        "initialManagePrincipal is 'users'",
        {"name": "churn"},
    ),
    Case(
        "least-privilege",
        "AccessControlRuleSet",
        roles("groups/account users"),
        "grantRules[0].principals[0] is 'groups/account users'",
        roles("groups/churn-engineers"),
    ),
    Case(
        "least-privilege",
        "Entitlements",
        {"groupId": "1", "workspaceAccess": True, "allowClusterCreate": True},
        "allowClusterCreate is True",
        {"groupId": "1", "workspaceAccess": True},
    ),
]
