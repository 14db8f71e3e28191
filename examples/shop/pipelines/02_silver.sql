-- Silver: what can be relied on. Expectations say what that means; how many rows met them is kept with each commit
-- (`npx sluice history silver.orders --format json`).

CREATE OR REFRESH STREAMING TABLE silver.orders (
  CONSTRAINT has_time EXPECT (ts IS NOT NULL) ON VIOLATION DROP ROW,
  CONSTRAINT positive_amount EXPECT (amount > 0) ON VIOLATION DROP ROW,
  CONSTRAINT usual_amount EXPECT (amount <= 1000)
)
PARTITIONED BY (order_date)
AS SELECT order_id, customer_id, product, quantity, amount, channel, ts, arrived_at, CAST(ts AS DATE) AS order_date
FROM STREAM(bronze.orders);
