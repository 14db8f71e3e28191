-- Bronze: what the sources sent, with types. A record that cannot be read goes to bronze.orders_quarantine, once, with the
-- reason; a field that does not fit goes to the column _rescued_data.
--
-- generate(…) makes up a shop, with late, duplicate and malformed records, so that everything runs without a service.
-- Without `rows` and `eventsPerDay` it is a live stream. To read the same from Kafka, put this in its place:
--
--   FROM STREAM read_kafka(
--     connection => 'shop',                  -- see sluice.yaml
--     subscribe => 'orders',
--     startingOffsets => 'earliest',
--     valueFormat => 'json',
--     schema => 'order_id BIGINT, customer_id BIGINT, product STRING, quantity INT, amount DECIMAL(10,2),
--                currency STRING, channel STRING, ts TIMESTAMP');

CREATE OR REFRESH STREAMING TABLE bronze.orders
COMMENT 'Orders as they came, with the time of their arrival'
AS SELECT *, _metadata.timestamp AS arrived_at
FROM STREAM generate(
  dataset => 'orders',
  rows => 200000,
  eventsPerDay => 5000,
  lateRatio => 0.02,
  duplicateRatio => 0.01,
  malformedRatio => 0.002);

CREATE OR REFRESH STREAMING TABLE bronze.customers
AS SELECT * FROM STREAM generate(dataset => 'customers', rows => 3000, eventsPerDay => 1000);

-- Who turned out to be leaving, looked at every ten days: what a model shall learn to foresee (features/churn.yaml).
CREATE OR REFRESH STREAMING TABLE bronze.churn
AS SELECT * FROM STREAM generate(dataset => 'churn', rows => 4000, eventsPerDay => 100);
