"""Masks: what a reader without the right to a class of values sees instead, and who has the right.

Every mask takes and gives text, as Unity Catalog casts a column for it and its result back, so that one function serves
a date in silver and the text of it in bronze. None can fail: the text of an error would show what it could not read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from churn.core.contract_rules import CLASSIFICATIONS
from infra.access.roles import Role
from infra.names import GOVERNANCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from churn.core.contract import Contract

TAG = "classification"
CLASSES = tuple(sorted(CLASSIFICATIONS))
# What a row filter goes by; a second tag, since a region is public and classified so.
ROW_TAG = "row_filter"
REGION = "region"
GOVERNED = {TAG: CLASSES, ROW_TAG: (REGION,)}  # tags that the account governs, with their values

CLEAR = (Role.RUNNER, Role.PII_READERS)  # jobs write what they read; these people have been given the right
ATTRIBUTES = (*CLEAR, Role.ENGINEERS, Role.SCIENTISTS)  # who may also read attributes of customers who have no name
KEY = "key"  # of the hash of identifiers, in the scope of masks


@dataclass(frozen=True)
class Function:
    """A function of the schema governance.

    Attributes:
        name: Its name there.
        parameter: Name of its parameter, a text.
        returns: Type of its result.
        comment: What it shows.
        body: SQL expression of the parameter.
    """

    name: str
    parameter: str
    returns: str
    comment: str
    body: str

    def full_name(self, catalog: str) -> str:
        """Its name with catalog and schema."""
        return f"{catalog}.{GOVERNANCE}.{self.name}"


@dataclass(frozen=True)
class Mask:
    """A mask of one class.

    Attributes:
        classification: The class.
        function: Name of the function that makes what is shown.
        clear: Roles that see the value itself.
    """

    classification: str
    function: str
    clear: tuple[Role, ...] = CLEAR


MASKS = (
    Mask("confidential", "mask_text", ATTRIBUTES),
    Mask("pii.birth", "mask_birth"),
    Mask("pii.email", "mask_email"),
    Mask("pii.id", "mask_id"),
    Mask("pii.location", "mask_text"),
    Mask("pii.name", "mask_text"),
    Mask("pii.phone", "mask_text"),
)
IN_REGION = "in_region"
REGION_READERS = Role.ANALYSTS  # whose rows are filtered


def functions(scope: str, names: Mapping[Role, str]) -> list[Function]:
    """The functions of a stack.

    `try_secret` gives NULL to whoever may not read the key. If Databricks reads it with the rights of the function's
    owner, identifiers are shown as hashes; if with those of the reader, as NULL: never in clear, and never an error.

    Args:
        scope: Secret scope that has the key of the hash.
        names: Name of each role's principal.
    """
    key = f"try_secret('{scope}', '{KEY}')"
    analysts = names[REGION_READERS].replace("'", "''")
    return [
        Function("mask_text", "value", "STRING", "Shows nothing", "CAST(NULL AS STRING)"),
        Function(
            "mask_birth",
            "value",
            "STRING",
            "Shows the year alone, as its first of January",
            "CASE WHEN value RLIKE '^[0-9]{4}-[0-9]{2}-[0-9]{2}' THEN concat(substr(value, 1, 4), '-01-01') END",
        ),
        Function(
            "mask_email",
            "value",
            "STRING",
            "Shows the domain, and that there is a name before it",
            "CASE WHEN value RLIKE '^[^@]+@[^@]+$' THEN concat('***@', substring_index(value, '@', -1)) END",
        ),
        # The key twice: a hash of key and value alone could be continued by whoever has it.
        Function(
            "mask_id",
            "value",
            "STRING",
            "Shows a keyed hash: the same for the same identifier, so that tables can be joined",
            f"sha2(concat({key}, sha2(concat({key}, value), 256)), 256)",
        ),
        Function(
            IN_REGION,
            REGION,
            "BOOLEAN",
            "Whether the reader may see rows of a region: members of the analysts' group for it, or of the one for all",
            f"coalesce(is_account_group_member('{analysts}-all') OR "
            f"is_account_group_member(concat('{analysts}-', lower({REGION}))), false)",
        ),
    ]


def row_filters(contracts: Iterable[Contract]) -> list[tuple[str, str, str]]:
    """Lists the columns that row filters go by, below the catalog, with the tag that says so and its value."""
    return [
        (f"{contract.table}.{column.name}", ROW_TAG, REGION)
        for contract in contracts
        for column in contract.columns
        if column.name == REGION
    ]
