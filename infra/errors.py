"""Errors of the program, and whether deploying again helps; Pulumi prints their text without a traceback.

Faults in hand-written files are `churn.core.faults.FaultsError`; `infra/__main__.py` makes an error of Pulumi of them.
"""

from __future__ import annotations

import pulumi


class DeploymentError(pulumi.RunError):
    """Base of the program's errors. The text is written for people: what is wrong, and the remedy."""


class FinalError(DeploymentError):
    """An error that stays until somebody changes something: deploying again does not help."""


class RetryableError(DeploymentError):
    """An error of another service or of the moment: deploying again may help."""


class RunFailedError(RetryableError):
    """A run that others depend on did not succeed; the next deployment starts it again."""


class StatementFailedError(RetryableError):
    """A SQL statement did not succeed; the next deployment runs it again."""


class PrincipalNotSeenError(RetryableError):
    """A new principal is not seen by all services of a workspace yet."""


class WrongDeployerError(FinalError):
    """Pulumi runs as another identity than the settings say, or as one that is not of the platform's group."""


class UngovernedTagError(FinalError):
    """The account does not govern a tag as masks need it."""


class WrongMetastoreError(FinalError):
    """A workspace is attached to another metastore than its settings say."""


class WrongWorkspaceError(FinalError):
    """A platform goes to another workspace than the one that its ground makes."""


class StorageRootError(FinalError):
    """A catalog would have no storage: the metastore has no root, or no external location covers the setting."""


class NoChampionError(FinalError):
    """No version of the registered model is the champion, so that there is nothing to serve."""


class NoKafkaError(FinalError):
    """The ground of another stack has no Kafka, which the settings expect there."""
