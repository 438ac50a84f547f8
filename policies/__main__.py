"""The policy pack; `PolicyPack` serves the engine and never returns."""

import sys
from pathlib import Path

from pulumi_policy import EnforcementLevel, PolicyPack

sys.path[0] = str(Path(__file__).resolve().parents[1])  # the engine runs this folder; its package lies one above

from policies import access, compute, credentials, data, jobs, naming, serving  # noqa: E402

PolicyPack(
    name="churn",
    enforcement_level=EnforcementLevel.MANDATORY,
    policies=[rule for house in (access, compute, credentials, data, jobs, naming, serving) for rule in house.RULES],
)
