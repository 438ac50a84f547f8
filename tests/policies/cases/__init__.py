"""Cases of every rule of the pack."""

from __future__ import annotations

from tests.policies.cases import access, compute, credentials, data, jobs, naming, serving

CASES = [case for module in (access, compute, credentials, data, jobs, naming, serving) for case in module.CASES]
