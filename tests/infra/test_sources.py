"""Grants that the contracts and requests of the repository ask for."""

from __future__ import annotations

from dataclasses import replace

from churn.core.contract import Role, contract_of
from infra.access.securables import Grant, Kind, Securable
from infra.access.sources import contract_grants, request_grants
from infra.written.requests import read_requests


def test_contracts_ask_for_the_grants_of_their_roles() -> None:
    customer = Securable("churn_local.silver.customer", Kind.TABLE)
    assert contract_grants([contract_of("customer")], "churn_local") == [
        Grant(customer, "churn-engineers", frozenset({"SELECT"})),
        Grant(customer, "churn-scientists", frozenset({"SELECT"})),
        Grant(customer, "churn-analysts", frozenset({"SELECT"})),
    ]


def test_a_role_that_writes_reads_too() -> None:
    contract = replace(contract_of("usage"), domain="uses", roles=(Role("ops", "write", "Correct rows.", 7),))
    (grant,) = contract_grants([contract], "c")
    assert grant == Grant(Securable("c.silver.uses", Kind.TABLE), "ops", frozenset({"SELECT", "MODIFY"}))


def test_requests_ask_for_entry_of_their_owner_and_others_privileges() -> None:
    lab = Securable("churn_local.retention_lab", Kind.SCHEMA)
    requests = read_requests("local", None)
    grants = [grant for grant in request_grants(requests, "churn_local") if grant.securable == lab]
    assert grants == [
        Grant(lab, "team-retention", frozenset({"USE_SCHEMA"})),
        Grant(lab, "churn-scientists", frozenset({"SELECT", "READ_VOLUME"})),
    ]
