-- Minutes from the broker to the online store: what the last quarter of an hour took at the 95th percentile, or, where
-- events wait in silver that the online store lacks, how long the oldest of them has waited.
WITH written AS (
  SELECT written_at, sum(p95) / 60 AS minutes
  FROM ${catalog}.mlops.stream_freshness
  WHERE hop IN ('broker_bronze', 'bronze_silver', 'silver_online')
  GROUP BY written_at
),
recent AS (
  SELECT max(minutes) AS minutes FROM written WHERE written_at > current_timestamp() - INTERVAL 15 MINUTES
),
waiting AS (
  SELECT timestampdiff(SECOND, min(_accepted_at), current_timestamp()) / 60 AS minutes
  FROM ${catalog}.silver.events
  WHERE _source = 'stream' AND _accepted_at > (SELECT coalesce(max(written_at), TIMESTAMP '1970-01-01') FROM written)
)
SELECT greatest(coalesce(recent.minutes, 0), coalesce(waiting.minutes, 0)) AS lag_minutes FROM recent, waiting
