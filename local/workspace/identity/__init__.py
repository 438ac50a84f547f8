"""Principals and rights: the directory, assignments, rule sets, permissions on objects."""
