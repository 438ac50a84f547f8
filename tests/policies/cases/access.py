"""Cases of the rules on grants and permissions."""

from __future__ import annotations

from tests.policies.cases.case import Case
from tests.policies.cases.inputs import ANALYSTS, PRINCIPAL, control, grants, roles

MANAGING = [{"principal": group, "privileges": ["MANAGE"]} for group in ("churn-platform", "churn-engineers")]
CHANGING = [{"groupName": group, "permissionLevel": "CAN_MANAGE"} for group in ("churn-platform", "churn-engineers")]
RUNNING = {"groupName": "churn-engineers", "permissionLevel": "CAN_RUN"}

CASES = [
    Case(
        "administrators",
        "PermissionAssignment",
        {"groupName": "churn-engineers", "permissions": ["ADMIN"]},
        "groupName is 'churn-engineers'",
        {"servicePrincipalName": PRINCIPAL, "permissions": ["ADMIN"]},
    ),
    Case(
        "administrators",
        "ServicePrincipalRole",
        {"servicePrincipalId": "1", "role": "account_admin"},
        "role is 'account_admin'",
        {"servicePrincipalId": "1", "role": "arn:aws:iam::123456789012:instance-profile/nodes"},
    ),
    Case(
        "one-manager",
        "Grants",
        {"catalog": "churn", "grants": MANAGING},
        "grants[1].principal is 'churn-engineers'",
        {"catalog": "churn", "grants": MANAGING[:1]},
    ),
    Case(
        "one-manager",
        "Grant",
        {"catalog": "churn", **MANAGING[1]},
        "privileges is ['MANAGE']",
        {"catalog": "churn", "principal": "churn-engineers", "privileges": ["USE_CATALOG"]},
    ),
    Case(
        "one-manager",
        "Permissions",
        {"pipelineId": "1", "accessControls": CHANGING},
        "accessControls[1].groupName is 'churn-engineers'",
        {"pipelineId": "1", "accessControls": [CHANGING[0], RUNNING]},
        stack="prod",
    ),
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
