"""For each rule of the pack: what it stops, with what it says, and what it lets pass."""

from __future__ import annotations

from tests.policies.cases import access, compute, credentials, data, jobs, naming, serving

CASES = [case for house in (access, compute, credentials, data, jobs, naming, serving) for case in house.CASES]
