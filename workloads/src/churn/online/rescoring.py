"""New scores of customers whose running session shows rising risk, by the champion, with fresh usage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as sf

from churn.core.tables import SCORES
from churn.feature_engineering.groups import FEATURES
from churn.feature_engineering.inputs import inputs
from churn.feature_engineering.rolling_activity import Usage, usage
from churn.online import writer
from churn.serving import registry
from churn.serving.loaded_model import LoadedModel, load

if TYPE_CHECKING:
    import pandas as pd
    import psycopg
    from pyspark.sql import SparkSession

    from churn.core.entry import Run
    from churn.online.writer import Raised


@dataclass
class Rescorer:
    """The champion in memory, and what it needs to score some customers.

    Attributes:
        spark: Session that reads gold.
        run: The run, whose id scores carry.
        model: Name of the registered model.
        days: For which features and daily scores count; a customer without any is none of the active ones.
    """

    spark: SparkSession
    run: Run
    model: str
    days: int
    _loaded: LoadedModel | None = None

    def champion(self) -> LoadedModel | None:
        """The champion, loaded again where the alias has moved; None where there is none."""
        version = registry.aliased(self.model, registry.CHAMPION)
        if version is None:
            return None
        if self._loaded is None or self._loaded.version.number != version.number:
            self._loaded = load(version)
            print(f"champion: version {version.number} of {self.model}")
        return self._loaded

    def score(self, connection: psycopg.Connection[Any], raised: Sequence[Raised], at: datetime) -> int:
        """Scores customers for the signals of their sessions, once each, into churn.scores, and marks the signals.

        Without a champion, or for a customer without features, there is no score. The log says so, and the next event
        of the signal raises it again.

        Args:
            connection: In the transaction of the batch, after its days.
            raised: The signals.
            at: The moment.

        Returns:
            Number of new scores.
        """
        model = self.champion() if raised else None
        if model is None:
            if raised:
                print(f"not scored: {len(raised)} signals, since {self.model} has no {registry.CHAMPION}")
            return 0
        customers = sorted({each.customer_id for each in raised})
        frame = self._inputs(model, customers, at)
        missing = sorted(set(customers) - set(frame["customer_id"]))
        if missing:
            print(f"not scored: {len(missing)} customers without features, such as {missing[0]}")
        if frame.empty:
            return 0
        days = writer.days_of(connection, list(frame["customer_id"]))
        fresh = [asdict(usage(days.get(customer, []), at.date())) for customer in frame["customer_id"]]
        for name in (item.name for item in fields(Usage)):
            if name in model.columns.all:
                frame[name] = [float(row[name]) for row in fresh]
        answers = model.scorer.score(frame).assign(customer_id=frame["customer_id"]).set_index("customer_id")
        previous = self._previous(connection, customers, at)
        scored = [each for each in raised if each.customer_id in answers.index]
        rows = []
        for each in scored:
            answer = answers.loc[each.customer_id]
            new = float(answer["score"]), previous.get(each.customer_id), str(answer["band"]), each.signal.reason
            key = each.customer_id, each.session_id, each.signal.name, each.event_time, at
            rows.append((*key, *new, model.version.number, self.run.run_id))
        writer.mark_scored(connection, scored)
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO churn.scores VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                rows,
            )
            return cursor.rowcount

    def _inputs(self, model: LoadedModel, customers: Sequence[str], at: datetime) -> pd.DataFrame:
        """What the model reads of customers, out of the latest features of each."""
        since = at.date() - timedelta(days=self.days)
        rows = self.spark.table(self.run.table(FEATURES.name)).where(
            sf.col("customer_id").isin(list(customers)) & (sf.col("observation_date") > sf.lit(since))
        )
        frame = inputs(rows, model.columns, "customer_id", "observation_date").toPandas()
        latest = frame.sort_values("observation_date").drop_duplicates("customer_id", keep="last")
        return latest.drop(columns="observation_date").reset_index(drop=True)

    def _previous(
        self, connection: psycopg.Connection[Any], customers: Sequence[str], at: datetime
    ) -> dict[str, float]:
        """The score that each customer had before: of a session of the same day or of the last daily run."""
        daily = self.spark.table(SCORES.create(self.spark, self.run.catalog)).where(
            sf.col("customer_id").isin(list(customers))
            & (sf.col("date") > sf.lit(at.date() - timedelta(days=self.days)))
        )
        rows = daily.groupBy("customer_id").agg(sf.max_by("score", "date").alias("score"), sf.max("date").alias("date"))
        known = {row.customer_id: (row.date, float(row.score)) for row in rows.collect()}
        query = (
            "SELECT DISTINCT ON (customer_id) customer_id, scored_at, score FROM churn.scores "
            "WHERE customer_id = ANY(%s) ORDER BY customer_id, scored_at DESC"
        )
        for customer, scored_at, score in connection.execute(query, (list(customers),)):
            if customer not in known or scored_at.date() >= known[customer][0]:
                known[customer] = scored_at.date(), score
        return {customer: score for customer, (_, score) in known.items()}
