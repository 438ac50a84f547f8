"""Erased customers: who was erased is known by a keyed hash alone, so that no record of an erasure names anybody.

The key lies in a secret scope. Each hash is kept with the name of its secret, so that another key may follow.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from churn.core.blanks import stripped
from churn.core.errors import FinalError
from churn.core.tables import ERASED_ROWS, ERASURES

if TYPE_CHECKING:
    from datetime import date

    from databricks.sdk import WorkspaceClient
    from pyspark.sql import SparkSession

    from churn.core.contract import Column, Contract
    from churn.core.entry import Run

CUSTOMER = "customer.customer_id"  # the key that columns about a customer refer to
KEY = "key"  # of the hash, in the scope of erasures
# Text of a row that is out of order is looked through word by word: an id in it stands between other characters.
WORD = "[A-Za-z0-9_-]+"
ESCAPE = r"\\(u[0-9a-fA-F]{4}|.)"  # of JSON, whose letters belong to no word


class NoKeyError(FinalError):
    """The secret with the key of a hash is missing, so that nobody can tell whether a customer was erased."""


@dataclass(frozen=True)
class Erased:
    """Erased customers.

    Attributes:
        hashes: Hashes of their ids, by the name of the secret that has the key, `scope/key`.
        keys: The keys, by the same name.
    """

    hashes: Mapping[str, frozenset[str]]
    keys: Mapping[str, bytes]

    def find(self, customer: str) -> str | None:
        """The hash of a customer who was erased; None for everybody else."""
        for secret, hashes in self.hashes.items():
            found = hashed(self.keys[secret], customer)
            if found in hashes:
                return found
        return None

    def mentioned(self, text: str) -> str | None:
        """The hash of an erased customer whose id is a word of a text; None if it names none."""
        for word in re.findall(WORD, re.sub(ESCAPE, " ", text)):
            if found := self.find(word):
                return found
        return None


def hashed(key: bytes, customer: str) -> str:
    """The keyed hash of a customer's id, without the blanks around it: HMAC with SHA-256, in hexadecimal digits."""
    return hmac.digest(key, stripped(customer).encode(), "sha256").hex()


def key_of(client: WorkspaceClient, secret: str) -> bytes:
    """The key that a secret `scope/key` has.

    Raises:
        NoKeyError: There is no such secret.
    """
    from databricks.sdk.errors import NotFound

    scope, _, name = secret.partition("/")
    try:
        value = client.secrets.get_secret(scope, name).value
    except NotFound as error:
        raise NoKeyError(f"there is no secret {secret}, by which erased customers are known: deploy it anew") from error
    return base64.b64decode(value or "")


def erased_customers(spark: SparkSession, catalog: str) -> Erased | None:
    """Everybody who was erased so far; None where nobody was."""
    from databricks.sdk import WorkspaceClient

    hashes: dict[str, set[str]] = {}
    for row in spark.table(ERASURES.create(spark, catalog)).select("secret", "customer").distinct().collect():
        hashes.setdefault(row.secret, set()).add(row.customer)
    if not hashes:
        return None
    client = WorkspaceClient()
    return Erased(
        {secret: frozenset(found) for secret, found in hashes.items()},
        {secret: key_of(client, secret) for secret in hashes},
    )


def customer_column(contract: Contract) -> Column | None:
    """The column that says whom a row is about; None where no row is about a customer."""
    return next(
        (each for each in contract.columns if CUSTOMER in (*each.refers_to, f"{contract.domain}.{each.name}")), None
    )


@dataclass(frozen=True)
class Removed:
    """Rows that are removed from one place.

    Attributes:
        cause: Hash of the erased customer, or why else.
        place: Schema and table or volume.
        origin: The file that the rows came in, below the volume; where no file tells, the request or the run.
        rows: How many; None for a file that is removed whole, unread.
    """

    cause: str
    place: str
    origin: str
    rows: int | None


def record(spark: SparkSession, run: Run, removed: Sequence[Removed]) -> None:
    """Records what is about to be removed: before it is, so that whatever is killed in between, it is counted once."""
    found: list[tuple[str, str, str, int | None, date, str]] = [
        (each.cause, each.place, each.origin, each.rows, run.date, run.run_id) for each in removed if each.rows != 0
    ]
    if found:
        ERASED_ROWS.insert_missing(spark.createDataFrame(found, ERASED_ROWS.schema), run.catalog)
