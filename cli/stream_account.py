"""The account of the stream: what the brokers have, against what the tables have of it, by partition."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from churn.core.blanks import BLANKS_IN_SQL
from cli.brokers import offsets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cli.brokers import Offsets
    from cli.deployed_stream import DeployedStream

POLL_SECONDS = 3.0
# Messages of bronze in a range of offsets, and where else each of them is. A message that is in neither table and whose
# event is in silver by another message, or by a file, is a duplicate. Ids are read as the pipeline reads them.
ACCOUNT = """
WITH bounds AS (SELECT * FROM VALUES {bounds} AS bounds (partition, first, until)),
messages AS (
  SELECT b.partition, b.offset, count(*) AS copies,
    any_value(try_variant_get(try_parse_json(b.value), '$.event_id', 'string')) AS written_id,
    bool_and(b.key IS NULL AND b.value IS NULL
      AND coalesce(exists(b.headers, header -> header.key = 'erased'), false)) AS gone
  FROM {{catalog}}.bronze.events b JOIN bounds ON b.partition = bounds.partition
  WHERE b.offset >= bounds.first AND b.offset < bounds.until
  GROUP BY b.partition, b.offset
),
accepted AS (
  SELECT _partition AS partition, _offset AS offset, count(*) AS rows
  FROM {{catalog}}.silver.events WHERE _source = 'stream' GROUP BY _partition, _offset
),
quarantined AS (
  SELECT _partition AS partition, _offset AS offset, count(*) AS rows
  FROM {{catalog}}.silver.quarantine_events GROUP BY _partition, _offset
),
known AS (SELECT DISTINCT event_id, true AS known FROM {{catalog}}.silver.events),
placed AS (
  SELECT m.partition, m.copies, coalesce(a.rows, 0) AS silver, coalesce(q.rows, 0) AS quarantine,
    coalesce(k.known, false) AS known, m.gone
  FROM messages m LEFT JOIN accepted a USING (partition, offset) LEFT JOIN quarantined q USING (partition, offset)
  LEFT JOIN known k ON k.event_id = btrim(m.written_id, {blanks})
)
SELECT partition, count(*), count_if(silver > 0), count_if(quarantine > 0 AND silver = 0),
  count_if(silver = 0 AND quarantine = 0 AND known), count_if(silver = 0 AND quarantine = 0 AND NOT known AND gone),
  count_if(silver = 0 AND quarantine = 0 AND NOT known AND NOT gone),
  sum(copies - 1 + greatest(silver - 1, 0) + greatest(quarantine - 1, 0)
    + if(silver > 0 AND quarantine > 0, 1, 0))
FROM placed GROUP BY partition ORDER BY partition
"""
TWICE = """
SELECT coalesce(sum(rows - 1), 0)
FROM (SELECT event_id, count(*) AS rows FROM {catalog}.silver.events GROUP BY event_id HAVING count(*) > 1)
"""


@dataclass(frozen=True)
class Partition:
    """The account of one partition, within the offsets that the brokers keep.

    Attributes:
        number: The partition.
        first: First offset.
        end: Offset after the last.
        read: Messages in bronze.
        silver: Of these, in silver.
        quarantined: Of these, in quarantine.
        duplicates: Of these, events that silver has by another message or by a file.
        erased: Of these, places of messages of customers who were erased.
        nowhere: Of these, none of the four.
        twice: Rows too many.
    """

    number: int
    first: int
    end: int
    read: int
    silver: int
    quarantined: int
    duplicates: int
    erased: int
    nowhere: int
    twice: int

    @property
    def produced(self) -> int:
        """Messages that the brokers have."""
        return self.end - self.first

    @property
    def lost(self) -> int:
        """Messages that are not in bronze, and those in bronze that are nowhere else."""
        return self.produced - self.read + self.nowhere


@dataclass(frozen=True)
class Account:
    """The account of a topic.

    Attributes:
        partitions: In order.
        ids_twice: Rows of silver too many, by the ids of events.
    """

    partitions: tuple[Partition, ...]
    ids_twice: int

    @property
    def lost(self) -> int:
        """Messages that are lost."""
        return sum(partition.lost for partition in self.partitions)

    @property
    def twice(self) -> int:
        """Rows that are there twice."""
        return max(sum(partition.twice for partition in self.partitions), self.ids_twice)


def audit(stream: DeployedStream, wait_seconds: float) -> Account:
    """Accounts for every message that the brokers have at the beginning of the call.

    Args:
        stream: The stream.
        wait_seconds: Seconds that the stream has to take over those which are still on the way.
    """
    bounds = offsets(stream.brokers, stream.topic)
    deadline = time.monotonic() + wait_seconds
    while (account := account_of(stream, bounds)).lost and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return account


def account_of(stream: DeployedStream, bounds: Mapping[int, Offsets]) -> Account:
    """Compares ranges of offsets with the tables."""
    values = ", ".join(f"({number}, {each.first}L, {each.end}L)" for number, each in sorted(bounds.items()))
    query = ACCOUNT.format(bounds=values, blanks=BLANKS_IN_SQL)
    found = {int(row[0]): [int(value) for value in row[1:]] for row in stream.rows(query)}
    partitions = tuple(
        Partition(number, each.first, each.end, *found.get(number, [0] * 7)) for number, each in sorted(bounds.items())
    )
    ((ids_twice,),) = stream.rows(TWICE)
    return Account(partitions, int(ids_twice))


def lines(account: Account) -> list[str]:
    """Writes the account for people, a line a partition."""
    shown = ["partition           offsets    produced      silver  quarantined  duplicates    erased      lost  twice"]
    for each in account.partitions:
        span = f"{each.first} to {each.end}"
        shown.append(
            f"{each.number:>9}{span:>18}{each.produced:>12,}{each.silver:>12,}{each.quarantined:>13,}"
            f"{each.duplicates:>12,}{each.erased:>10,}{each.lost:>10,}{each.twice:>7,}"
        )
    verdict = "every message is accounted for" if not account.lost and not account.twice else "the account is wrong"
    return [*shown, f"{verdict}: {account.lost:,} lost, {account.twice:,} there twice"]
