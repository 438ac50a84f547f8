-- Minutes from the broker to the online store, by the worst of these: what batches since the last look took at the 95th
-- percentile; how long ago the broker had the oldest message that waits in bronze or in silver; and, where the settings
-- give a longest silence, how long bronze has read nothing, since a topic that is silent and a pipeline that is down
-- look the same from here.
WITH written AS (
  SELECT written_at, sum(p95) / 60 AS minutes
  FROM ${catalog}.mlops.stream_freshness
  WHERE hop IN ('broker_bronze', 'bronze_silver', 'silver_online')
  GROUP BY written_at
),
recent AS (
  SELECT max(minutes) AS minutes FROM written WHERE written_at > current_timestamp() - INTERVAL ${recent_minutes} MINUTES
),
reached AS (
  SELECT max(_read_at) AS read_at FROM ${catalog}.silver.events WHERE _source = 'stream'
),
later AS (
  SELECT partition, offset, broker_time,
    nullif(btrim(try_variant_get(try_parse_json(value), '$.event_id', 'string'), ${blanks}), '') AS event_id
  FROM ${catalog}.bronze.events
  WHERE read_at > (SELECT coalesce(read_at, TIMESTAMP '1970-01-01') FROM reached)
    -- The place of a message whose customer was erased waits for nothing.
    AND NOT (key IS NULL AND value IS NULL AND coalesce(exists(headers, header -> header.key = 'erased'), false))
),
elsewhere AS (
  SELECT _partition AS partition, _offset AS offset FROM ${catalog}.silver.quarantine_events
  WHERE _read_at > (SELECT coalesce(read_at, TIMESTAMP '1970-01-01') FROM reached)
  UNION ALL
  SELECT later.partition, later.offset FROM later JOIN ${catalog}.silver.events AS known ON later.event_id = known.event_id
  WHERE known._accepted_at > current_timestamp() - INTERVAL 14 DAYS
),
in_bronze AS (
  SELECT timestampdiff(SECOND, min(broker_time), current_timestamp()) / 60 AS minutes
  FROM later LEFT ANTI JOIN elsewhere ON later.partition = elsewhere.partition AND later.offset = elsewhere.offset
),
in_silver AS (
  SELECT timestampdiff(SECOND, min(_broker_time), current_timestamp()) / 60 AS minutes
  FROM ${catalog}.silver.events
  WHERE _source = 'stream' AND _accepted_at > (
    SELECT coalesce(max(written_at), TIMESTAMP '1970-01-01') FROM ${catalog}.mlops.stream_freshness
  )
),
silent AS (
  SELECT timestampdiff(SECOND, max(read_at), current_timestamp()) / 60 AS minutes FROM ${catalog}.bronze.events
)
SELECT greatest(
  coalesce(recent.minutes, 0),
  coalesce(in_bronze.minutes, 0),
  coalesce(in_silver.minutes, 0),
  if(silent.minutes > ${longest_silence_minutes}, silent.minutes, 0)
) AS lag_minutes
FROM recent, in_bronze, in_silver, silent
