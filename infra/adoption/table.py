"""Every resource type of the program, with how an object of it is found again."""

from __future__ import annotations

from infra.adoption import account, aws, stream, unity_catalog, workspace
from infra.adoption.cloud import Row

RUNS = "a run leaves no object, and a second one does again what the first one did"

TABLE: dict[str, Row] = {
    **{
        f"databricks:index/{name[0].lower()}{name[1:]}:{name}": row
        for rows in (unity_catalog.ROWS, workspace.ROWS, account.ROWS, stream.ROWS)
        for name, row in rows.items()
    },
    **{f"aws:{name}": row for name, row in aws.ROWS.items()},
    "pulumi-python:dynamic/churn:CurrentRun": Row(again="it does nothing when it is made"),
    "pulumi-python:dynamic/churn:ClassifiedTables": Row(again="it is a list"),
    "pulumi-python:dynamic/churn:MadeTables": Row(again="it only waits"),
    "pulumi-python:dynamic/churn:MaskKey": Row(again="a key that is there stays"),
    "pulumi-python:dynamic/churn:RunOnce": Row(again=RUNS),
    "pulumi-python:dynamic/churn:SeenPrincipal": Row(again="it only waits"),
    "pulumi-python:dynamic/churn:SettledRole": Row(again="it only waits"),
    "pulumi-python:dynamic/churn:SqlFunction": Row(again="a function of its name is written over"),
    "pulumi-python:dynamic/churn:TagsInEffect": Row(again="it only waits"),
}
"""Rows by the type's token."""
