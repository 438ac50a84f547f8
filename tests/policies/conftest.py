"""Fixtures with the program of each stack, which the rules judge."""

from tests.infra.conftest import programs, wheels

__all__ = ["programs", "wheels"]
