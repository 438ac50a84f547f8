"""The policy pack; `PolicyPack` serves the engine and never returns."""

import sys
from pathlib import Path

from pulumi_policy import EnforcementLevel, PolicyPack

sys.path[0] = str(Path(__file__).resolve().parents[1])  # the engine runs this folder; its package lies one above

from policies import access, compute, data, jobs, naming, serving  # noqa: E402

PolicyPack(
    name="churn",
    enforcement_level=EnforcementLevel.MANDATORY,
    policies=[*access.RULES, *compute.RULES, *data.RULES, *jobs.RULES, *naming.RULES, *serving.RULES],
)
