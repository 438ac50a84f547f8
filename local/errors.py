"""The errors of the local cloud, whose text a person reads: what happened, and what to do about it."""

from __future__ import annotations


class LocalError(Exception):
    """Base of the errors of the local cloud and its command line, whose text is shown without a traceback."""


class SettingsError(LocalError):
    """A setting of the local cloud is wrong. Trying again helps only after the setting is corrected."""


class EngineError(LocalError):
    """The Pulumi engine or its provider cannot be made ready.

    Trying again helps where a download failed; otherwise only after the remedy in the text.
    """


class InstallError(LocalError):
    """The jars of Spark or Kafka cannot be installed.

    Trying again helps where a download failed; otherwise only after the remedy in the text.
    """


class JdkError(InstallError):
    """No fitting JDK is on PATH. Trying again helps only after one is installed.

    Attributes:
        state: What is there instead.
        remedy: What to do.
    """

    def __init__(self, state: str, remedy: str) -> None:
        super().__init__(f"{state}: {remedy}")
        self.state = state
        self.remedy = remedy


class LibraryError(LocalError):
    """A library of a task or pipeline cannot be used. Trying again does not help; the text names it and the reason."""


class UnsupportedSourceError(LocalError):
    """A pipeline's source asks for what open Spark cannot do.

    Trying again does not help; the text names the construct or option, and a remedy where one exists.
    """


class NotResettableError(LocalError):
    """A full refresh names a table that forbids it. Trying again does not help; the text names table and property."""


class UnreadableFileError(LocalError):
    """A file of a `cloudFiles` stream is not of the stream's format. Trying again does not help; the text names it."""


class TooBusyError(LocalError):
    """A Python source of a pipeline did not start within the 10 seconds that Spark allows. Trying again helps."""


class FlowError(LocalError):
    """A flow of a continuous pipeline has ended. Trying again helps where the text says a passing reason."""


class ServerError(LocalError):
    """The Spark server cannot start, or has ended. Trying again helps only after the remedy in the text."""


class ServiceError(LocalError):
    """A service of the local cloud does not start, answer or stop in time.

    Trying again helps where the machine was only slow; otherwise the log that the text names says why.
    """


class AwsStateError(LocalError):
    """What the local AWS knew cannot be read. Trying again helps only after the remedy in the text."""


class BrokerError(LocalError):
    """A broker of the local AWS does not start. Trying again helps only after its configuration is corrected."""


class DatabaseError(LocalError):
    """A PostgreSQL server cannot be made ready. Trying again helps only after the remedy in the text."""
