"""The program of each stack, for the rules to judge."""

from tests.infra.conftest import programs, wheels

__all__ = ["programs", "wheels"]
