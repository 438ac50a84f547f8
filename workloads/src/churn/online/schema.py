"""Tables of the online store, in versions: each is applied once, in order, and adds to those before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

# A version that was released stays as it is; a change is a further one, and keeps what older readers need.
VERSIONS = (
    """
    CREATE TABLE churn.position (
        source text PRIMARY KEY,
        table_id text NOT NULL,
        version bigint NOT NULL,
        written_at timestamptz NOT NULL);
    CREATE TABLE churn.customer_days (
        customer_id text NOT NULL,
        event_date date NOT NULL,
        events bigint NOT NULL,
        sessions bigint NOT NULL,
        core_uses bigint NOT NULL,
        core_minutes double precision NOT NULL,
        last_event_time timestamptz NOT NULL,
        PRIMARY KEY (customer_id, event_date));
    CREATE TABLE churn.activity (
        customer_id text PRIMARY KEY,
        as_of date NOT NULL,
        sessions_7d bigint NOT NULL,
        sessions_30d bigint NOT NULL,
        days_since_last_use integer,
        streak_days integer NOT NULL,
        core_minutes_7d double precision NOT NULL,
        core_minutes_30d double precision NOT NULL,
        last_event_time timestamptz NOT NULL,
        updated_at timestamptz NOT NULL);
    CREATE TABLE churn.sessions (
        customer_id text NOT NULL,
        session_id text NOT NULL,
        started_at timestamptz,
        last_event_at timestamptz NOT NULL,
        ended_at timestamptz,
        counted jsonb NOT NULL DEFAULT '{}',
        signals text[] NOT NULL DEFAULT '{}',
        order_faults text[] NOT NULL GENERATED ALWAYS AS (array_remove(ARRAY[
            CASE WHEN started_at IS NULL THEN 'no_start' END,
            CASE WHEN ended_at < started_at THEN 'end_before_start' END,
            CASE WHEN ended_at < last_event_at THEN 'event_after_end' END], NULL)) STORED,
        updated_at timestamptz NOT NULL,
        PRIMARY KEY (customer_id, session_id));
    CREATE INDEX sessions_last_event_at ON churn.sessions (last_event_at);
    CREATE TABLE churn.scores (
        customer_id text NOT NULL,
        session_id text NOT NULL,
        signal text NOT NULL,
        event_time timestamptz NOT NULL,
        scored_at timestamptz NOT NULL,
        score double precision NOT NULL,
        previous_score double precision,
        band text NOT NULL,
        reason text NOT NULL,
        model_version integer NOT NULL,
        run_id text NOT NULL,
        copied boolean NOT NULL DEFAULT false,
        PRIMARY KEY (customer_id, session_id, signal));
    CREATE INDEX scores_not_copied ON churn.scores (scored_at) WHERE NOT copied;
    CREATE INDEX scores_of_customer ON churn.scores (customer_id, scored_at);
    CREATE TABLE churn.freshness (
        written_at timestamptz NOT NULL,
        hop text NOT NULL,
        version bigint NOT NULL,
        rows bigint NOT NULL,
        p50 double precision NOT NULL,
        p95 double precision NOT NULL,
        p99 double precision NOT NULL,
        copied boolean NOT NULL DEFAULT false,
        PRIMARY KEY (written_at, hop));
    CREATE INDEX freshness_not_copied ON churn.freshness (written_at) WHERE NOT copied;
    """,
    # By which each round forgets what is old and finds what is of another day, without a look at every row.
    """
    CREATE INDEX customer_days_event_date ON churn.customer_days (event_date);
    CREATE INDEX activity_as_of ON churn.activity (as_of);
    CREATE INDEX scores_scored_at ON churn.scores (scored_at);
    """,
    """
    CREATE TABLE churn.erased (secret text NOT NULL, customer text NOT NULL, PRIMARY KEY (secret, customer));
    """,
)
LOCK = 5_226_041  # of PostgreSQL, by which two tasks that begin at once wait for each other


def apply(connection: psycopg.Connection[Any]) -> int:
    """Makes the schema and applies the versions that are missing; returns how many these were."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        connection.execute("CREATE SCHEMA IF NOT EXISTS churn")
        connection.execute("CREATE TABLE IF NOT EXISTS churn.schema_version (version integer PRIMARY KEY)")
        row = connection.execute("SELECT coalesce(max(version), 0) FROM churn.schema_version").fetchone()
        done = row[0] if row else 0
        for number, text in enumerate(VERSIONS[done:], done + 1):
            connection.execute(text.encode())
            connection.execute("INSERT INTO churn.schema_version VALUES (%s)", (number,))
    return max(0, len(VERSIONS) - int(done))
