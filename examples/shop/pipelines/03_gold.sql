-- Gold: answers. Materialized views are refreshed when an input has changed, and only then.

-- An order that was sent twice counts once.
CREATE TEMPORARY VIEW orders_once
AS SELECT DISTINCT ON (order_id) * FROM silver.orders;

CREATE OR REFRESH MATERIALIZED VIEW gold.revenue_by_day
AS SELECT order_date, count(*) AS orders, count(DISTINCT customer_id) AS customers, sum(amount) AS revenue
FROM orders_once
GROUP BY order_date;

CREATE OR REFRESH MATERIALIZED VIEW gold.revenue_by_product
AS SELECT product, channel, sum(quantity) AS items, sum(amount) AS revenue
FROM orders_once
GROUP BY product, channel;

-- What was known of a customer at the end of each day. By the day of arrival, so that a late order counts from the day on
-- which it was known, and never before.
CREATE OR REFRESH MATERIALIZED VIEW gold.customer_activity
AS SELECT
  customer_id,
  known_at,
  sum(orders) OVER last_14_days AS orders_14d,
  sum(revenue) OVER last_14_days AS revenue_14d
FROM (
  SELECT customer_id, date_trunc('day', arrived_at) + INTERVAL 1 DAY AS known_at, count(*) AS orders, sum(amount) AS revenue
  FROM orders_once
  GROUP BY ALL
)
WINDOW last_14_days AS (PARTITION BY customer_id ORDER BY known_at RANGE BETWEEN INTERVAL 13 DAYS PRECEDING AND CURRENT ROW);
