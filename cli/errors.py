"""The errors of the command line."""

from __future__ import annotations

from local.errors import LocalError


class CommandError(LocalError):
    """A command cannot go on: the text says what happened and what to do.

    Trying again helps only after that, unless the text says otherwise.
    """
