-- One row for each thing that is wrong with the data: a feed of which no file is admitted although one is due by the clock,
-- and a check that the newest day has broken. Runs that never started are seen by the first.
WITH feeds AS (
  SELECT * FROM VALUES ${feeds} AS feeds (domain, days, due_minutes)
),
delivered AS (
  SELECT domain, max(try_cast(regexp_extract(file, '/(?:date=|dt=)?([0-9]{4}-[0-9]{2}-[0-9]{2})/', 1) AS DATE)) AS newest
  FROM ${catalog}.bronze.deliveries WHERE status = 'admitted' GROUP BY domain
),
late AS (
  SELECT concat(domain, ' is late: the file of ', date_add(newest, days), ' is due, and the newest is of ', newest)
    AS problem
  FROM feeds JOIN delivered USING (domain)
  WHERE current_timestamp() >= timestampadd(MINUTE, due_minutes, date_add(newest, days + 1))
),
broken AS (
  SELECT reason AS problem FROM ${catalog}.mlops.quality_results
  WHERE outcome IN ('warned', 'failed')
    AND run_id = (SELECT max_by(run_id, struct(date, try_cast(run_id AS BIGINT))) FROM ${catalog}.mlops.quality_results)
)
SELECT problem FROM late UNION ALL SELECT problem FROM broken
