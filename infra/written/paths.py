"""Folders of the repository that people write in."""

from __future__ import annotations

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
CONTRACTS = REPOSITORY / "contracts"
REQUESTS = REPOSITORY / "requests"
WHEELS = REPOSITORY / "workloads" / "dist"  # where `make wheel` puts the workloads' wheel
