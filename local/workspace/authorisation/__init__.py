"""Authorisation of SQL statements: who may run what, and which values the caller sees masked."""
