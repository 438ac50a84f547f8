"""Libraries of jobs and pipelines: pinned requirements, and the wheel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi

if TYPE_CHECKING:
    from pulumi_databricks import JobTaskLibraryArgsDict, PipelineEnvironmentArgsDict

# Of serverless compute: Python 3.12 and MLflow 3, on the libraries that workloads/runtime.txt names.
ENVIRONMENT_VERSION = "5"


@dataclass(frozen=True)
class Libraries:
    """What a run installs. The requirements pin all that the wheel needs, so that every run installs the same.

    Attributes:
        requirements: Path of a `requirements.txt` under `/Workspace`.
        wheel: Path of the wheel under `/Workspace`.
    """

    requirements: pulumi.Output[str]
    wheel: pulumi.Output[str]

    def environment(self) -> PipelineEnvironmentArgsDict:
        """Gives the environment of a pipeline, or of serverless tasks: lines as of a requirements file."""
        lines: list[pulumi.Input[str]] = [pulumi.Output.concat("-r ", self.requirements), self.wheel]
        return {"environment_version": ENVIRONMENT_VERSION, "dependencies": lines}

    def of_cluster(self) -> list[JobTaskLibraryArgsDict]:
        """Gives the libraries of a task on a job cluster."""
        return [{"requirements": self.requirements}, {"whl": self.wheel}]
