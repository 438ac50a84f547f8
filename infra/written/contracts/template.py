"""Template of a contract: a file that passes the check once each of its TODOs is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from churn.core.contract_rules import CLASSIFICATIONS, NAME, NAMING
from churn.core.faults import Fault, FaultsError, shown

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATE = """\
apiVersion: v3.1.0
kind: DataContract
id: churn-silver-{table}
name: {table}
version: 1.0.0
status: draft
domain: churn
description:
  purpose: TODO what the table is about
  usage: TODO what it is good for, and by which key it is joined
  limitations: TODO what it does not say
team:
  name: TODO group that owns the table, as churn:platform.groups or team_groups has it
support:
  - channel: TODO where the owner answers questions
    tool: slack
    scope: issues
roles:
  - role: TODO group that reads the table
    access: read
    description: TODO what the group uses it for
slaProperties:
  - property: frequency
    value: 1
    unit: d
    description: TODO how often rows are delivered
  - property: latency
    value: 24
    unit: h
    element: {table}.event_date
    description: TODO from what a row is dated to the row in this table
  - property: timeOfAvailability
    value: "06:00"
    unit: UTC
    description: TODO when yesterday's rows are here
  - property: retention
    value: 1
    unit: y
    element: {table}.event_date
    description: TODO why rows are kept that long
customProperties:
  - property: format
    value: TODO csv, json or parquet, or a list of them
    description: Format of the delivered files.
  - property: checks
    value: {{keys: fail, references: warn, gaps: warn, freshness: fail, volume: warn}}
    description: What a broken check of the day does, beyond rules on single rows.
schema:
  - name: {table}
    physicalName: silver.{table}
    physicalType: table
    description: TODO one row per what
    properties:
      - name: {table}_id
        logicalType: string
        physicalType: STRING
        description: TODO what it numbers
        primaryKey: true
        primaryKeyPosition: 1
        required: true
        classification: TODO one of {classes}
      - name: customer_id
        logicalType: string
        physicalType: STRING
        description: Customer whom the row is about.
        required: true
        classification: pii.id
        relationships:
          - to: customer.customer_id
      - name: event_date
        logicalType: date
        physicalType: DATE
        description: TODO day of what
        required: true
        classification: public
      - name: amount
        logicalType: number
        physicalType: DOUBLE
        description: TODO of what; remove the column if there is no number
        required: true
        classification: TODO one of {classes}
        customProperties:
          - property: unit
            value: TODO such as dollars
    quality:
      - name: amount_is_possible
        description: TODO which amounts there are
        type: custom
        engine: spark
        severity: quarantine
        implementation: amount BETWEEN 0 AND 100000
"""


def write_template(table: str, folder: Path) -> Path:
    """Writes a template.

    Args:
        table: Name of the table, and of the folder that its files are delivered to.
        folder: Where contracts lie.

    Returns:
        The file.

    Raises:
        FaultsError: The name is none of a table, or the table has a contract.
    """
    path = folder / f"{table}.yaml"
    file = f"{folder.name}/{table}.yaml"
    if not NAME.fullmatch(table):
        raise FaultsError([Fault(file=file, received=shown(table), allowed=NAMING, remedy="name the table so")])
    if path.exists():
        remedy = "change that contract, or choose another name"
        raise FaultsError([Fault(file=file, received="a contract", allowed="no file of that name", remedy=remedy)])
    path.write_text(TEMPLATE.format(table=table, classes=", ".join(CLASSIFICATIONS)), encoding="utf-8")
    return path
