"""The account: metastores, configurations of workspaces, workspaces, network rules for serverless compute, budgets.

One server stands for the account and for its workspaces: see `workspaces`.
"""

from fastapi import APIRouter, Depends

from local.workspace.account import (
    budgets,
    configurations,
    directory,
    endpoint_rules,
    entries,
    metastores,
    network_policies,
    private_access,
    tag_policies,
    workspaces,
)
from local.workspace.account.collection import account_administrator

router = APIRouter()
for _area in (
    directory,
    metastores,
    configurations,
    private_access,
    workspaces,
    entries,
    endpoint_rules,
    network_policies,
    budgets,
):
    router.include_router(_area.router, dependencies=[Depends(account_administrator)])
router.include_router(tag_policies.router)
