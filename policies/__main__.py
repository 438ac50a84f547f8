"""Builds the policy pack and serves it to the engine; `PolicyPack` never returns."""

import sys
from pathlib import Path

from pulumi_policy import EnforcementLevel, PolicyPack

sys.path[0] = str(Path(__file__).resolve().parents[1])  # the engine runs this folder; imports start at its parent

from policies import access, compute, credentials, data, jobs, naming, serving  # noqa: E402 (needs the path)

PolicyPack(
    name="churn",
    enforcement_level=EnforcementLevel.MANDATORY,
    policies=[
        *(rule for module in (access, compute, credentials, data, jobs, naming, serving) for rule in module.RULES),
        *credentials.STACK_RULES,
    ],
)
