/** Tables that need a feature to be read at all, as statements for Spark; `T` stands for the table, `PATH` for its path. */

export interface FeatureTable {
  readonly name: string;
  readonly sql: readonly string[];
  /** What must be in the table's log or the names of its files, lest the table shows something else than it is there for. */
  readonly shows: RegExp;
  /** Whether it records its changes from version 0 on: then these are compared, too. */
  readonly hasChanges?: boolean;
}

const DELETION_VECTORS = `TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')`;
const BY_NAME = `TBLPROPERTIES ('delta.columnMapping.mode' = 'name')`;
const WIDENS = `TBLPROPERTIES ('delta.enableTypeWidening' = 'true')`;
const V2 = `'delta.checkpointPolicy' = 'v2', 'delta.checkpointInterval' = '3'`;
const rows = (from: number, to: number, columns = `id, concat('n', id) AS name`): string =>
  `SELECT ${columns} FROM range(${String(from)}, ${String(to)}, 1, 1)`;
const appends = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `INSERT INTO T ${rows(i * 10, i * 10 + 10)}`);

/** Nested columns in each way that one type can hold another. */
const NESTED = `id BIGINT, who STRUCT<name: STRING, home: STRUCT<street: STRING, number: INT>>,
  tags ARRAY<STRUCT<tag: STRING, weight: INT>>, facts MAP<STRING, STRUCT<fact: STRING, since: DATE>>,
  keyed MAP<STRUCT<a: INT, b: STRING>, ARRAY<ARRAY<STRUCT<deep: INT>>>>`;
const nestedRows = (from: number, to: number): string => `INSERT INTO T SELECT id,
  CASE WHEN id % 4 = 0 THEN NULL ELSE named_struct('name', concat('n', id), 'home',
    CASE WHEN id % 3 = 0 THEN NULL ELSE named_struct('street', 's', 'number', CAST(id AS INT)) END) END,
  CASE WHEN id % 5 = 0 THEN NULL ELSE array(named_struct('tag', 'a', 'weight', CAST(id AS INT)), NULL) END,
  map('k', named_struct('fact', concat('f', id), 'since', DATE '2026-01-01')),
  map(named_struct('a', CAST(id AS INT), 'b', 'x'), array(array(named_struct('deep', CAST(id AS INT))), NULL))
  FROM range(${String(from)}, ${String(to)}, 1, 1)`;

export const FEATURE_TABLES: readonly FeatureTable[] = [
  {
    name: 'deletion vectors: rows deleted, and more of the same file, then updated and merged',
    shows: /"storageType":"u"/,
    sql: [
      `CREATE TABLE T (id BIGINT, name STRING) USING delta ${DELETION_VECTORS}`,
      `INSERT INTO T ${rows(0, 1000)}`,
      `DELETE FROM T WHERE id IN (0, 7, 8, 999)`,
      `DELETE FROM T WHERE id % 100 = 3`,
      `UPDATE T SET name = 'changed' WHERE id BETWEEN 500 AND 510`,
      `MERGE INTO T AS t USING (SELECT id, 'merged' AS name FROM range(990, 1010)) AS s ON t.id = s.id
       WHEN MATCHED AND s.id % 2 = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET name = s.name WHEN NOT MATCHED THEN INSERT *`,
      `DELETE FROM T WHERE id < 500`,
    ],
  },
  {
    name: 'deletion vectors: many rows, as arrays, bitmaps and runs',
    shows: /"cardinality":6[0-9]{4}/,
    sql: [
      `CREATE TABLE T (id BIGINT, name STRING) USING delta ${DELETION_VECTORS}`,
      `INSERT INTO T ${rows(0, 150_000)}`,
      `DELETE FROM T WHERE id BETWEEN 66000 AND 100000 OR (id < 65000 AND id % 3 = 0) OR id % 4999 = 1`,
      `DELETE FROM T WHERE id > 135000 AND id % 2 = 0`,
    ],
  },
  {
    name: 'deletion vectors: partitions, a checkpoint, a restored version',
    shows: /checkpoint\.parquet/,
    sql: [
      `CREATE TABLE T (id BIGINT, name STRING, part STRING) USING delta PARTITIONED BY (part)
       TBLPROPERTIES ('delta.enableDeletionVectors' = 'true', 'delta.checkpointInterval' = '3')`,
      `INSERT INTO T ${rows(0, 90, `id, concat('n', id) AS name, CASE id % 3 WHEN 0 THEN NULL WHEN 1 THEN 'a b' ELSE 'ü=%/' END`)}`,
      `DELETE FROM T WHERE id % 7 = 0`,
      `DELETE FROM T WHERE part = 'a b' AND id > 50`,
      `DELETE FROM T WHERE part IS NULL AND id % 2 = 0`,
      `RESTORE TABLE T TO VERSION AS OF 2`,
      `DELETE FROM T WHERE id = 5`,
    ],
  },
  {
    name: 'deletion vectors: purged',
    shows: /"storageType":"u"/,
    sql: [
      `CREATE TABLE T (id BIGINT, name STRING) USING delta ${DELETION_VECTORS}`,
      `INSERT INTO T ${rows(0, 100)}`,
      `DELETE FROM T WHERE id % 10 = 0`,
      `REORG TABLE T APPLY (PURGE)`,
      `INSERT INTO T ${rows(100, 110)}`,
    ],
  },
  {
    name: 'column mapping by name: renamed, dropped, added again under an old name',
    shows: /"delta.columnMapping.mode":"name"/,
    sql: [
      `CREATE TABLE T (id BIGINT, name STRING, spare INT) USING delta ${BY_NAME}`,
      `INSERT INTO T ${rows(0, 10, `id, concat('n', id), CAST(id AS INT)`)}`,
      `ALTER TABLE T RENAME COLUMN name TO title`,
      `INSERT INTO T ${rows(10, 20, `id, concat('t', id), CAST(id AS INT)`)}`,
      `ALTER TABLE T DROP COLUMN spare`,
      `ALTER TABLE T ADD COLUMN (name STRING, spare DATE)`,
      `INSERT INTO T ${rows(20, 30, `id, concat('t', id), 'a name', DATE '2026-01-01'`)}`,
      `ALTER TABLE T RENAME COLUMN title TO \`a title, with {odd} (characters) = 1\``,
      `INSERT INTO T ${rows(30, 40, `id, 'x', NULL, NULL`)}`,
    ],
  },
  {
    name: 'column mapping by name: nested columns',
    shows: /physicalName\\":\\"col-/,
    sql: [
      `CREATE TABLE T (${NESTED}) USING delta ${BY_NAME}`,
      nestedRows(0, 20),
      `ALTER TABLE T RENAME COLUMN who.home.street TO road`,
      `ALTER TABLE T RENAME COLUMN tags.element.tag TO label`,
      `ALTER TABLE T RENAME COLUMN facts.value.fact TO saying`,
      nestedRows(20, 30),
      `ALTER TABLE T DROP COLUMN who.home.number`,
      `ALTER TABLE T ADD COLUMN (who.home.city STRING)`,
      `INSERT INTO T SELECT 100, named_struct('name', 'x', 'home', named_struct('road', 'r', 'city', 'c')),
         array(named_struct('label', 'l', 'weight', 1)), map('k', named_struct('saying', 's', 'since', NULL)), NULL`,
    ],
  },
  {
    name: 'column mapping by id',
    shows: /"delta.columnMapping.mode":"id"/,
    sql: [
      `CREATE TABLE T (id BIGINT, name STRING, who STRUCT<a: INT, b: STRING>) USING delta
       TBLPROPERTIES ('delta.columnMapping.mode' = 'id')`,
      `INSERT INTO T ${rows(0, 10, `id, concat('n', id), named_struct('a', CAST(id AS INT), 'b', 'x')`)}`,
      `ALTER TABLE T RENAME COLUMN name TO title`,
      `ALTER TABLE T RENAME COLUMN who.a TO c`,
      `INSERT INTO T ${rows(10, 20, `id, concat('n', id), named_struct('c', CAST(id AS INT), 'b', 'y')`)}`,
    ],
  },
  {
    name: 'column mapping of partition columns, and deletion vectors beside it',
    shows: /"deletionVector":/,
    sql: [
      `CREATE TABLE T (id BIGINT, day DATE, kind STRING) USING delta PARTITIONED BY (day, kind)
       TBLPROPERTIES ('delta.columnMapping.mode' = 'name', 'delta.enableDeletionVectors' = 'true')`,
      `INSERT INTO T ${rows(0, 60, `id, date_add(DATE '2026-01-01', CAST(id % 3 AS INT)), CASE WHEN id % 2 = 0 THEN 'even' END`)}`,
      `ALTER TABLE T RENAME COLUMN day TO date`,
      `DELETE FROM T WHERE id % 5 = 1`,
      `INSERT INTO T ${rows(60, 70, `id, DATE '2026-02-01', 'odd'`)}`,
    ],
  },
  {
    name: 'column mapping of a table that began without',
    shows: /"delta.columnMapping.mode":"name"/,
    sql: [
      `CREATE TABLE T (id BIGINT, name STRING) USING delta`,
      `INSERT INTO T ${rows(0, 10)}`,
      `ALTER TABLE T SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name', 'delta.minReaderVersion' = '2', 'delta.minWriterVersion' = '5')`,
      `ALTER TABLE T RENAME COLUMN name TO title`,
      `INSERT INTO T ${rows(10, 20)}`,
    ],
  },
  ...['json', 'parquet'].map((format) => ({
    name: `checkpoints of version 2, their own file as ${format}`,
    shows: new RegExp(`checkpoint\\.[-0-9a-f]{36}\\.${format}[^]*_sidecars/`),
    sql: [
      `SET spark.databricks.delta.checkpointV2.topLevelFileFormat = ${format}`,
      `CREATE TABLE T (id BIGINT, name STRING) USING delta TBLPROPERTIES (${V2}, 'delta.enableDeletionVectors' = 'true')`,
      ...appends(4),
      `DELETE FROM T WHERE id % 7 = 0`,
      ...appends(2),
    ],
  })),
  {
    name: 'checkpoints in several parts',
    shows: /checkpoint\.0000000001\.000000000[2-9]\.parquet/,
    sql: [
      `SET spark.databricks.delta.checkpoint.partSize = 3`,
      `CREATE TABLE T (id BIGINT, name STRING) USING delta TBLPROPERTIES ('delta.checkpointInterval' = '4')`,
      ...appends(9),
      `RESET spark.databricks.delta.checkpoint.partSize`,
    ],
  },
  {
    name: 'checkpoints with statistics as columns',
    shows: /writeStatsAsStruct/,
    sql: [
      `CREATE TABLE T (id BIGINT, name STRING) USING delta TBLPROPERTIES ('delta.checkpointInterval' = '3',
       'delta.checkpoint.writeStatsAsStruct' = 'true', 'delta.checkpoint.writeStatsAsJson' = 'false')`,
      ...appends(5),
    ],
  },
  {
    name: 'widened types',
    shows: /delta.typeChanges/,
    sql: [
      `CREATE TABLE T (id BIGINT, a BYTE, b SHORT, c INT, d FLOAT, e INT, f DATE, g DECIMAL(5,2), h INT, i BYTE, j BIGINT)
       USING delta TBLPROPERTIES ('delta.enableTypeWidening' = 'true', 'delta.feature.timestampNtz' = 'supported')`,
      `INSERT INTO T ${rows(0, 5, `id, CAST(-128 AS BYTE), CAST(32767 AS SHORT), 2147483647, CAST(1.1 AS FLOAT), 16777217, DATE '1960-02-29', 999.99, -2147483648, CAST(7 AS BYTE), 9223372036854775807`)}`,
      ...[
        'a SMALLINT',
        'b INT',
        'c BIGINT',
        'd DOUBLE',
        'e DOUBLE',
        'f TIMESTAMP_NTZ',
        'g DECIMAL(12,4)',
        'h DECIMAL(14,3)',
        'i DECIMAL(10,0)',
        'j DECIMAL(24,2)',
      ].map((column) => `ALTER TABLE T CHANGE COLUMN ${column.replace(' ', ' TYPE ')}`),
      `INSERT INTO T SELECT 100, 300, 70000, 5000000000, 1.1D, 0.5D, TIMESTAMP_NTZ '2026-01-01 12:00:00.000001', 12345678.1234, 1.125, 1000000000, 1.25`,
      `ALTER TABLE T CHANGE COLUMN a TYPE BIGINT`,
      `INSERT INTO T SELECT 101, 5000000000, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL`,
      `INSERT INTO T SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL`,
    ],
  },
  {
    name: 'widened types inside of structs, arrays and maps, partitions too',
    shows: /\\"fieldPath\\"/,
    sql: [
      `CREATE TABLE T (id BIGINT, part INT, s STRUCT<a: BYTE, b: FLOAT>, l ARRAY<SHORT>, m MAP<INT, DECIMAL(4,1)>) USING delta
       PARTITIONED BY (part) ${WIDENS}`,
      `INSERT INTO T ${rows(0, 6, `id, CAST(id % 2 AS INT), named_struct('a', CAST(id AS BYTE), 'b', CAST(1.1 AS FLOAT)), array(CAST(id AS SHORT), NULL), map(CAST(id AS INT), 1.5)`)}`,
      `ALTER TABLE T CHANGE COLUMN s.a TYPE INT`,
      `ALTER TABLE T CHANGE COLUMN s.b TYPE DOUBLE`,
      `ALTER TABLE T CHANGE COLUMN l.element TYPE BIGINT`,
      `ALTER TABLE T CHANGE COLUMN m.value TYPE DECIMAL(10,3)`,
      `ALTER TABLE T CHANGE COLUMN m.key TYPE BIGINT`,
      `ALTER TABLE T CHANGE COLUMN part TYPE BIGINT`,
      `INSERT INTO T SELECT 100, 5000000000, named_struct('a', 70000, 'b', 2.5D), array(5000000000), map(5000000000, 1234567.125)`,
    ],
  },
  {
    name: 'commit times in the log',
    shows: /"inCommitTimestamp":/,
    sql: [
      `CREATE TABLE T (id BIGINT, name STRING) USING delta TBLPROPERTIES ('delta.enableInCommitTimestamps' = 'true')`,
      ...appends(3),
    ],
  },
  {
    name: 'a change data feed',
    shows: /_change_data\//,
    hasChanges: true,
    sql: [
      `CREATE TABLE T (id BIGINT, name STRING) USING delta TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')`,
      ...appends(2),
      `UPDATE T SET name = 'changed' WHERE id = 3`,
      `DELETE FROM T WHERE id = 4`,
      `OPTIMIZE T`,
      `DELETE FROM T WHERE id < 15`,
    ],
  },
  {
    name: 'a change data feed with deletion vectors, partitions and column mapping',
    shows: /"deletionVector":[^]*"cdc":|"cdc":[^]*"deletionVector":/,
    hasChanges: true,
    sql: [
      `CREATE TABLE T (id BIGINT, name STRING, part STRING) USING delta PARTITIONED BY (part) TBLPROPERTIES (
       'delta.enableChangeDataFeed' = 'true', 'delta.enableDeletionVectors' = 'true', 'delta.columnMapping.mode' = 'name')`,
      `INSERT INTO T ${rows(0, 60, `id, concat('n', id), CASE WHEN id % 3 > 0 THEN concat('p ', id % 3) END`)}`,
      `DELETE FROM T WHERE id % 10 = 3`,
      `DELETE FROM T WHERE id % 10 = 4`,
      `UPDATE T SET name = 'changed' WHERE id IN (5, 6, 7)`,
      `MERGE INTO T AS t USING (SELECT id, 'merged' AS name, 'p 1' AS part FROM range(55, 65)) AS s ON t.id = s.id
       WHEN MATCHED AND s.id % 2 = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET name = s.name WHEN NOT MATCHED THEN INSERT *`,
      `DELETE FROM T WHERE part = 'p 2'`,
      `RESTORE TABLE T TO VERSION AS OF 2`,
    ],
  },
  {
    name: 'default columns, NOT NULL, constraints',
    shows: /CURRENT_DEFAULT/,
    sql: [
      `CREATE TABLE T (id BIGINT NOT NULL, name STRING DEFAULT 'none') USING delta TBLPROPERTIES ('delta.feature.allowColumnDefaults' = 'supported')`,
      `ALTER TABLE T ADD CONSTRAINT positive CHECK (id >= 0)`,
      `INSERT INTO T ${rows(0, 5)}`,
      `INSERT INTO T (id) SELECT id FROM range(5, 8)`,
    ],
  },
  {
    name: 'row tracking and clustering',
    shows: /"domainMetadata"/,
    sql: [
      `CREATE TABLE T (id BIGINT, name STRING) USING delta CLUSTER BY (id) TBLPROPERTIES ('delta.enableRowTracking' = 'true')`,
      ...appends(3),
      `OPTIMIZE T`,
      `UPDATE T SET name = 'changed' WHERE id = 3`,
    ],
  },
  {
    name: 'columns added inside of structs and arrays, and a table overwritten',
    shows: /"mode":"Overwrite"/,
    sql: [
      `CREATE TABLE T (${NESTED}) USING delta`,
      nestedRows(0, 10),
      `ALTER TABLE T ADD COLUMN (who.home.city STRING, tags.element.extra INT, later STRING)`,
      `INSERT INTO T SELECT 100, named_struct('name', 'x', 'home', named_struct('street', 'r', 'number', 1, 'city', 'c')),
         array(named_struct('tag', 'l', 'weight', 1, 'extra', 2)), NULL, NULL, 'later'`,
      `INSERT OVERWRITE T SELECT 200, NULL, NULL, NULL, NULL, 'only'`,
    ],
  },
];
