/** Tables that are odd in one way each, as statements for Spark; `{T}` stands for the table, `{PATH}` for its path. */

export interface OddTable {
  readonly name: string;
  readonly sql: readonly string[];
}

const rows = (from: number, to: number, columns = `id, concat('n', id)`): string =>
  `SELECT ${columns} FROM range(${String(from)}, ${String(to)}, 1, 1)`;

export const ODD_TABLES: readonly OddTable[] = [
  {
    name: 'partitions of bytes',
    sql: [
      `CREATE TABLE {T} (id BIGINT, part BINARY) USING delta PARTITIONED BY (part)`,
      `INSERT INTO {T} VALUES (1, X'5C'), (2, X'5C783431'), (3, CAST('ü=%/ 日本' AS BINARY)), (4, X''), (5, NULL), (7, CAST('it''s' AS BINARY))`,
    ],
  },
  {
    name: 'partitions of bytes that are no text',
    sql: [
      `CREATE TABLE {T} (id BIGINT, part BINARY) USING delta PARTITIONED BY (part)`,
      `INSERT INTO {T} VALUES (1, X'FF10')`,
    ],
  },
  {
    name: 'a column without a type',
    sql: [`CREATE TABLE {T} USING delta AS SELECT id, NULL AS nothing FROM range(3)`, `INSERT INTO {T} SELECT 7, NULL`],
  },
  {
    name: 'a column without a type in a struct',
    sql: [`CREATE TABLE {T} USING delta AS SELECT id, named_struct('a', 1, 'b', NULL) AS s FROM range(3)`],
  },
  {
    name: 'timestamps of 12 bytes',
    sql: [
      `SET spark.sql.parquet.outputTimestampType = INT96`,
      `CREATE TABLE {T} (id BIGINT, at TIMESTAMP, s STRUCT<at: TIMESTAMP>, l ARRAY<TIMESTAMP>) USING delta`,
      `INSERT INTO {T} SELECT id, at, named_struct('at', at), array(at, NULL) FROM VALUES
         (1, TIMESTAMP '0001-01-01 00:00:00'), (2, TIMESTAMP '1582-10-10 00:00:00.000001'), (3, TIMESTAMP '9999-12-31 23:59:59.999999'), (4, TIMESTAMP '2026-01-01 00:00:00.5') AS v(id, at)`,
      `RESET spark.sql.parquet.outputTimestampType`,
      `INSERT INTO {T} SELECT 5, TIMESTAMP '0001-01-01 00:00:00', NULL, NULL`,
    ],
  },
  {
    name: 'timestamps of milliseconds',
    sql: [
      `SET spark.sql.parquet.outputTimestampType = TIMESTAMP_MILLIS`,
      `CREATE TABLE {T} (id BIGINT, at TIMESTAMP) USING delta`,
      `INSERT INTO {T} VALUES (1, TIMESTAMP '0001-01-01 00:00:00'), (2, TIMESTAMP '2026-01-01 00:00:00.123456')`,
      `RESET spark.sql.parquet.outputTimestampType`,
      `INSERT INTO {T} VALUES (3, TIMESTAMP '2026-01-01 00:00:00.123456')`,
    ],
  },
  {
    name: 'lists, maps and decimals as Hive writes them',
    sql: [
      `SET spark.sql.parquet.writeLegacyFormat = true`,
      `CREATE TABLE {T} (id BIGINT, l ARRAY<STRUCT<a: INT>>, ll ARRAY<ARRAY<INT>>, m MAP<STRING, ARRAY<INT>>, d DECIMAL(5,2), e DECIMAL(18,3)) USING delta`,
      `INSERT INTO {T} VALUES (1, array(named_struct('a', 1), NULL), array(array(1, NULL), NULL), map('k', array(1)), 1.25, 12345.125), (2, NULL, array(), map(), NULL, -1)`,
      `RESET spark.sql.parquet.writeLegacyFormat`,
      `INSERT INTO {T} VALUES (3, array(named_struct('a', 1), NULL), array(array(1, NULL), NULL), map('k', array(1)), 1.25, 12345.125)`,
    ],
  },
  {
    name: 'texts of a fixed and of a greatest length',
    sql: [
      `CREATE TABLE {T} (id BIGINT, c CHAR(5), v VARCHAR(5), s STRUCT<c: CHAR(3)>, p CHAR(4)) USING delta PARTITIONED BY (p)`,
      `INSERT INTO {T} VALUES (1, 'ab', 'cd', named_struct('c', 'x'), 'q'), (2, NULL, '', NULL, NULL), (3, 'abcde', 'abcde', named_struct('c', 'xyz'), 'long')`,
    ],
  },
  {
    name: 'structs of which no field is in the older files',
    sql: [
      `CREATE TABLE {T} (id BIGINT, s STRUCT<a: INT, n: STRUCT<x: INT>>, l ARRAY<STRUCT<a: INT>>, m MAP<STRING, STRUCT<a: INT>>) USING delta TBLPROPERTIES ('delta.columnMapping.mode' = 'name')`,
      `INSERT INTO {T} VALUES (1, named_struct('a', 1, 'n', named_struct('x', 1)), array(named_struct('a', 1), NULL), map('k', named_struct('a', 1), 'l', NULL)), (2, NULL, NULL, NULL), (3, named_struct('a', NULL, 'n', NULL), array(), map())`,
      `ALTER TABLE {T} ADD COLUMNS (s.b STRING, s.n.y STRING, l.element.b STRING, m.value.b STRING)`,
      `ALTER TABLE {T} DROP COLUMN s.n.x`,
      `ALTER TABLE {T} DROP COLUMN s.a`,
      `ALTER TABLE {T} DROP COLUMN l.element.a`,
      `ALTER TABLE {T} DROP COLUMN m.value.a`,
      `INSERT INTO {T} VALUES (4, named_struct('n', named_struct('y', 'y'), 'b', 'b'), array(named_struct('b', 'b')), map('k', named_struct('b', 'b')))`,
      `ALTER TABLE {T} DROP COLUMN s.n`,
      `ALTER TABLE {T} RENAME COLUMN s.b TO a`,
    ],
  },
  {
    name: 'files from elsewhere: other letters, other order, more columns, a folder for each partition',
    sql: [
      `CREATE TABLE parquet_{N} USING parquet OPTIONS (path '{PATH}') PARTITIONED BY (part) AS SELECT named_struct('B', 1, 'a', 2L) AS S, id AS ID, 'x' AS Extra, concat('ü=%/ ', id) AS part FROM range(3)`,
      `CONVERT TO DELTA parquet.\`{PATH}\` PARTITIONED BY (part STRING)`,
      `INSERT INTO {T} (id, part) VALUES (7, 'new')`,
    ],
  },
  {
    name: 'timestamps as partitions, written in another zone and without one',
    sql: [
      `SET spark.sql.session.timeZone = America/New_York`,
      `CREATE TABLE {T} (id BIGINT, at TIMESTAMP, ntz TIMESTAMP_NTZ) USING delta PARTITIONED BY (at, ntz)`,
      `INSERT INTO {T} VALUES (1, TIMESTAMP '2026-07-01 12:00:00', TIMESTAMP_NTZ '2026-07-01 12:00:00'), (2, TIMESTAMP '1500-07-01 12:00:00.000001', TIMESTAMP_NTZ '1500-07-01 12:00:00.1'), (3, NULL, NULL)`,
      `SET spark.sql.session.timeZone = UTC`,
      `SET spark.databricks.delta.write.utcTimestampPartitionValues = false`,
      `INSERT INTO {T} VALUES (4, TIMESTAMP '2026-07-01 12:00:00', TIMESTAMP_NTZ '2026-07-01 12:00:00'), (5, TIMESTAMP '0001-01-01 00:00:00.000001', TIMESTAMP_NTZ '9999-12-31 23:59:59.999999')`,
      `RESET spark.databricks.delta.write.utcTimestampPartitionValues`,
      `DELETE FROM {T} WHERE at = TIMESTAMP '1500-07-01 12:00:00.000001'`,
    ],
  },
  {
    name: 'a path as odd as paths can be %25 %2F #+&=ü 日本',
    sql: [
      `CREATE TABLE {T} (id BIGINT, \`p%20\` STRING) USING delta PARTITIONED BY (\`p%20\`) TBLPROPERTIES ('delta.columnMapping.mode' = 'name', 'delta.enableDeletionVectors' = 'true', 'delta.checkpointInterval' = '2', 'delta.checkpointPolicy' = 'v2')`,
      `INSERT INTO {T} VALUES (1, 'a%25b'), (2, '#+ ü'), (3, '/'), (4, '%'), (5, '#+ ü')`,
      `DELETE FROM {T} WHERE id = 5`,
      `INSERT INTO {T} VALUES (1, 'a%25b'), (2, '#+ ü'), (3, '/'), (4, '%'), (5, '#+ ü')`,
      `DELETE FROM {T} WHERE id = 4`,
    ],
  },
  {
    name: 'a shallow clone of a table with deletion vectors, changed itself',
    sql: [
      `CREATE TABLE delta.\`{PATH} source é%20\` (id BIGINT, part STRING) USING delta PARTITIONED BY (part) TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')`,
      `INSERT INTO delta.\`{PATH} source é%20\` ${rows(0, 20, `id, concat('p %=', id % 2)`)}`,
      `DELETE FROM delta.\`{PATH} source é%20\` WHERE id % 5 = 1`,
      `CREATE TABLE {T} SHALLOW CLONE delta.\`{PATH} source é%20\``,
      `DELETE FROM {T} WHERE id % 7 = 0`,
      `INSERT INTO {T} VALUES (100, 'p %=0')`,
      `UPDATE {T} SET id = -id WHERE id = 8`,
    ],
  },
  {
    name: 'a column dropped and added again with another type, by id, also nested',
    sql: [
      `CREATE TABLE {T} (id BIGINT, x INT, s STRUCT<x: INT, y: INT>, m MAP<STRUCT<k: INT>, STRUCT<x: INT, y: INT>>) USING delta TBLPROPERTIES ('delta.columnMapping.mode' = 'id')`,
      `INSERT INTO {T} VALUES (1, 1, named_struct('x', 1, 'y', 2), map(named_struct('k', 1), named_struct('x', 1, 'y', 2)))`,
      `ALTER TABLE {T} DROP COLUMN x`,
      `ALTER TABLE {T} DROP COLUMN s.x`,
      `ALTER TABLE {T} DROP COLUMN m.value.x`,
      `ALTER TABLE {T} ADD COLUMNS (x STRING, s.x STRING, m.value.x DATE)`,
      `INSERT INTO {T} VALUES (2, named_struct('y', 2, 'x', 'text'), map(named_struct('k', 1), named_struct('y', 2, 'x', NULL)), 'text')`,
      `ALTER TABLE {T} RENAME COLUMN s.x TO Y2`,
      `ALTER TABLE {T} RENAME COLUMN s.y TO x`,
      `ALTER TABLE {T} RENAME COLUMN s.Y2 TO y`,
    ],
  },
  {
    name: 'partitions of widened types and of every number',
    sql: [
      `CREATE TABLE {T} (id BIGINT, b TINYINT, f FLOAT, d DATE, n DECIMAL(4,2)) USING delta PARTITIONED BY (b, f, d, n) TBLPROPERTIES ('delta.enableTypeWidening' = 'true', 'delta.feature.timestampNtz' = 'supported')`,
      `INSERT INTO {T} VALUES (1, 1, CAST('1.1' AS FLOAT), DATE '1500-01-01', 1.50), (2, NULL, CAST('NaN' AS FLOAT), NULL, NULL), (3, -128, CAST('-0.0' AS FLOAT), DATE '9999-12-31', -99.99), (4, 1, CAST('-Infinity' AS FLOAT), NULL, 0), (5, 1, CAST('3.4028235E38' AS FLOAT), NULL, 0), (6, 1, CAST('1.4E-45' AS FLOAT), NULL, 0)`,
      `ALTER TABLE {T} ALTER COLUMN b TYPE INT`,
      `ALTER TABLE {T} ALTER COLUMN f TYPE DOUBLE`,
      `ALTER TABLE {T} ALTER COLUMN d TYPE TIMESTAMP_NTZ`,
      `ALTER TABLE {T} ALTER COLUMN n TYPE DECIMAL(10,4)`,
      `INSERT INTO {T} VALUES (7, 70000, 1.1D, TIMESTAMP_NTZ '2026-01-01 00:00:01', 1.2345)`,
    ],
  },
  {
    name: 'texts with control characters, also as partitions',
    sql: [
      `CREATE TABLE {T} (id BIGINT, part STRING, text STRING) USING delta PARTITIONED BY (part)`,
      `INSERT INTO {T} SELECT id, concat('a', chr(id), 'b'), concat('a', chr(id), 'b') FROM range(1, 33, 1, 1)`,
    ],
  },
  {
    name: 'no rows, no files, and partitions overwritten as they come',
    sql: [
      `CREATE TABLE {T} (id BIGINT, part INT) USING delta PARTITIONED BY (part)`,
      `INSERT INTO {T} SELECT 1, 1 WHERE false`,
      `INSERT INTO {T} VALUES (1, 1), (2, 2), (3, NULL)`,
      `SET spark.sql.sources.partitionOverwriteMode = dynamic`,
      `INSERT OVERWRITE {T} VALUES (10, 1), (30, NULL)`,
      `RESET spark.sql.sources.partitionOverwriteMode`,
      `UPDATE {T} SET part = 5 WHERE part = 2`,
      `DELETE FROM {T}`,
    ],
  },
];
