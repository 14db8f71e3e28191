/**
 * Tables from a seed: a schema, properties and partitions by chance, then operations by chance, as statements for Spark.
 * A statement that Spark refuses changes nothing here either.
 */
import type { Random } from '../../core/random.ts';
import { field, primitive, struct, type DataType, type Field } from '../../core/schema.ts';
import { ddl, Names, oneOf, partitionType, quoted, someColumns, someType, value } from './golden-values.ts';

export interface Step {
  /** `T` is spelled `{T}`. */
  readonly sql: string;
  /** What is so once Spark has done it. */
  readonly done?: () => void;
}

const WIDER: Readonly<Record<string, readonly DataType[]>> = {
  byte: ['short', 'integer', 'long', 'double'].map((name) => primitive(name as 'short')),
  short: ['integer', 'long', 'double'].map((name) => primitive(name as 'integer')),
  integer: [primitive('long'), primitive('double'), { kind: 'decimal', precision: 14, scale: 3 }],
  long: [{ kind: 'decimal', precision: 24, scale: 2 }],
  float: [primitive('double')],
  date: [primitive('timestamp_ntz')],
};

export class GoldenTable {
  readonly #random: Random;
  readonly #names: Names;
  readonly #isMapped: boolean;
  readonly #isClustered: boolean;
  readonly #widens: boolean;
  #columns: Field[];
  readonly #partitions: Set<Field>;
  readonly #properties: string[];
  #id: Field = field('id', primitive('long'));
  #nextId = 0;
  #versions = 0;

  constructor(random: Random) {
    this.#random = random;
    const chance = (share: number): boolean => random.next() < share;
    const mode = oneOf(random, ['none', 'name', 'id']);
    this.#isMapped = mode !== 'none';
    this.#widens = chance(0.4);
    this.#names = new Names(this.#isMapped);
    const parts = chance(0.6) ? 1 + random.int(2) : 0;
    const partitions = Array.from({ length: parts }, () => field(this.#names.next(random), partitionType(random)));
    this.#partitions = new Set(partitions);
    this.#columns = [this.#id, ...partitions, ...someColumns(random, this.#names, 1 + random.int(5))];
    if (chance(0.5)) this.#columns.reverse();
    this.#isClustered = parts === 0 && chance(0.2);
    const given = [
      this.#isMapped ? `'delta.columnMapping.mode' = '${mode}'` : '',
      chance(0.6) ? `'delta.enableDeletionVectors' = 'true'` : '',
      this.#widens ? `'delta.enableTypeWidening' = 'true'` : '',
      chance(0.3) ? `'delta.enableChangeDataFeed' = 'true'` : '',
      chance(0.2) ? `'delta.enableInCommitTimestamps' = 'true'` : '',
      chance(0.2) ? `'delta.enableRowTracking' = 'true'` : '',
      chance(0.3) ? `'delta.checkpointPolicy' = 'v2'` : '',
      chance(0.3)
        ? `'delta.checkpoint.writeStatsAsStruct' = 'true', 'delta.checkpoint.writeStatsAsJson' = 'false'`
        : '',
      `'delta.checkpointInterval' = '${String(oneOf(random, [2, 3, 5, 100]))}'`,
      `'delta.feature.timestampNtz' = 'supported'`,
    ];
    this.#properties = given.filter((one) => one !== '');
  }

  create(): Step {
    const columns = this.#columns.map(({ name, type }) => `${quoted(name)} ${ddl(type)}`).join(', ');
    const parts = [...this.#partitions].map(({ name }) => quoted(name)).join(', ');
    const layout = parts === '' ? (this.#isClustered ? 'CLUSTER BY (id)' : '') : `PARTITIONED BY (${parts})`;
    return {
      sql: `CREATE TABLE {T} (${columns}) USING delta ${layout} TBLPROPERTIES (${this.#properties.join(', ')})`,
    };
  }

  next(): Step {
    const steps = [
      () => this.#insert(), () => this.#insert(), () => this.#insert(), () => this.#delete(), () => this.#delete(), () => this.#update(),
      () => this.#merge(), () => this.#optimize(), () => this.#addColumn(), () => this.#addNested(), () => this.#rename(), () => this.#drop(),
      () => this.#widen(), () => this.#overwrite(), () => this.#replaceWhere(), () => this.#restore(), () => this.#renameNested(), () => this.#dropNested(),
      () => this.#insertSome(), () => this.#addColumn(), () => this.#widen(),
    ]; // prettier-ignore
    this.#versions++;
    return oneOf(this.#random, steps)();
  }

  /** A step that is sure to leave rows. */
  first(): Step {
    this.#versions++;
    return this.#insert();
  }

  #rows(count: number, columns: readonly Field[] = this.#columns): string {
    const row = (): string => {
      const values = columns.map((column) =>
        column === this.#id ? `CAST(${String(this.#nextId++)} AS BIGINT)` : value(this.#random, column.type),
      );
      return values.map((one, i) => `${one} AS ${quoted(columns[i]?.name ?? '')}`).join(', ');
    };
    return Array.from({ length: count }, () => `SELECT ${row()}`).join(' UNION ALL ');
  }

  #insert(): Step {
    return { sql: `INSERT INTO {T} ${this.#rows(1 + this.#random.int(8))}` };
  }

  #insertSome(): Step {
    const some = this.#columns.filter((column) => column === this.#id || this.#random.int(2) === 0);
    return { sql: `INSERT INTO {T} (${some.map(({ name }) => quoted(name)).join(', ')}) ${this.#rows(2, some)}` };
  }

  get #where(): string {
    const id = quoted(this.#id.name);
    const some = oneOf(this.#random, [...this.#columns]);
    const modulo = 2 + this.#random.int(3);
    return oneOf(this.#random, [
      `${id} % ${String(modulo)} = ${String(this.#random.int(modulo))}`,
      `${id} = ${String(this.#random.int(this.#nextId + 1))}`,
      `${quoted(some.name)} IS NULL`,
    ]);
  }

  #delete(): Step {
    return { sql: `DELETE FROM {T} WHERE ${this.#where}` };
  }

  #update(): Step {
    const some = oneOf(this.#random, this.#columns);
    const to = some === this.#id ? `${quoted(some.name)} + 1000` : value(this.#random, some.type);
    return { sql: `UPDATE {T} SET ${quoted(some.name)} = ${to} WHERE ${this.#where}` };
  }

  #merge(): Step {
    const from = Math.max(0, this.#nextId - 3);
    this.#nextId = from;
    const id = quoted(this.#id.name);
    return {
      sql: `MERGE INTO {T} AS t USING (${this.#rows(6)}) AS s ON t.${id} = s.${id}
            WHEN MATCHED AND s.${id} % 3 = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *`,
    };
  }

  #optimize(): Step {
    const isPlain = this.#partitions.size > 0 || this.#isClustered || this.#random.int(2) === 0;
    return { sql: `OPTIMIZE {T}${isPlain ? '' : ` ZORDER BY (${quoted(this.#id.name)})`}` };
  }

  #addColumn(): Step {
    const name = this.#names.next(this.#random);
    const added = field(name, someType(this.#random, this.#names));
    const after = oneOf(this.#random, this.#columns);
    const [place, at] = oneOf(this.#random, [
      ['', this.#columns.length],
      [' FIRST', 0],
      [` AFTER ${quoted(after.name)}`, this.#columns.indexOf(after) + 1],
    ] as const);
    return {
      sql: `ALTER TABLE {T} ADD COLUMNS (${quoted(name)} ${ddl(added.type)}${place})`,
      done: () => (this.#columns = this.#columns.toSpliced(at, 0, added)),
    };
  }

  #replace(old: Field, changed: Field): void {
    this.#columns = this.#columns.map((one) => (one === old ? changed : one));
    if (this.#partitions.delete(old)) this.#partitions.add(changed);
    if (this.#id === old) this.#id = changed;
  }

  #rename(): Step {
    const old = oneOf(this.#random, this.#columns);
    const name = this.#names.next(this.#random);
    return {
      sql: `ALTER TABLE {T} RENAME COLUMN ${quoted(old.name)} TO ${quoted(name)}`,
      done: () => {
        this.#names.giveBack(old.name);
        this.#replace(old, { ...old, name });
      },
    };
  }

  #drop(): Step {
    const old = oneOf(this.#random, this.#columns);
    if (old === this.#id || this.#partitions.has(old) || this.#columns.length < 4) return this.#insert();
    return {
      sql: `ALTER TABLE {T} DROP COLUMN ${quoted(old.name)}`,
      done: () => {
        this.#names.giveBack(old.name);
        this.#columns = this.#columns.filter((one) => one !== old);
      },
    };
  }

  #widen(): Step {
    const usable = this.#columns.flatMap((column) =>
      placesOf(column.type, quoted(column.name)).map((place) => ({ column, place })),
    );
    const wide = usable.filter(
      ({ column, place }) => column !== this.#id && place.type.kind === 'primitive' && place.type.name in WIDER,
    );
    if (!this.#widens || wide.length === 0) return this.#insert();
    const { column, place } = oneOf(this.#random, wide);
    const to = oneOf(this.#random, WIDER[place.type.kind === 'primitive' ? place.type.name : ''] ?? []);
    return {
      sql: `ALTER TABLE {T} ALTER COLUMN ${place.path} TYPE ${ddl(to)}`,
      done: () => {
        this.#replace(column, { ...column, type: place.with(to) });
      },
    };
  }

  #nested(
    change: (
      place: Place & { readonly type: { readonly kind: 'struct'; readonly fields: readonly Field[] } },
    ) => { sql: string; to: DataType } | undefined,
  ): Step {
    const all = this.#columns.flatMap((column) =>
      placesOf(column.type, quoted(column.name)).map((place) => ({ column, place })),
    );
    // Structs that are keys cannot be changed.
    const structs = all.filter(({ place }) => place.type.kind === 'struct' && !place.path.includes('.key'));
    if (structs.length === 0) return this.#insert();
    const { column, place } = oneOf(this.#random, structs);
    const { type } = place;
    const changed = type.kind === 'struct' ? change({ ...place, type }) : undefined;
    if (changed === undefined) return this.#insert();
    return { sql: changed.sql, done: () => { this.#replace(column, { ...column, type: place.with(changed.to) }); } }; // prettier-ignore
  }

  #addNested(): Step {
    return this.#nested(({ path, type }) => {
      const name = oneOf(this.#random, ['n1', 'n2', 'N3', 'später', ...(this.#isMapped ? ['n. 4'] : [])]);
      const added = field(name, someType(this.#random, this.#names, 1));
      return {
        sql: `ALTER TABLE {T} ADD COLUMNS (${path}.${quoted(name)} ${ddl(added.type)})`,
        to: struct([...type.fields, added]),
      };
    });
  }

  #renameNested(): Step {
    return this.#nested(({ path, type }) => {
      const old = oneOf(this.#random, type.fields);
      const name = oneOf(this.#random, ['r1', 'r2', 'r. 3']);
      const fields = type.fields.map((one) => (one === old ? { ...one, name } : one));
      return {
        sql: `ALTER TABLE {T} RENAME COLUMN ${path}.${quoted(old.name)} TO ${quoted(name)}`,
        to: struct(fields),
      };
    });
  }

  #dropNested(): Step {
    return this.#nested(({ path, type }) => {
      const old = oneOf(this.#random, type.fields);
      if (type.fields.length < 2) return undefined;
      return {
        sql: `ALTER TABLE {T} DROP COLUMN ${path}.${quoted(old.name)}`,
        to: struct(type.fields.filter((one) => one !== old)),
      };
    });
  }

  #overwrite(): Step {
    return { sql: `INSERT OVERWRITE {T} ${this.#rows(4)}` };
  }

  #replaceWhere(): Step {
    const from = String(this.#nextId);
    return { sql: `INSERT INTO {T} REPLACE WHERE ${quoted(this.#id.name)} >= ${from} ${this.#rows(3)}` };
  }

  /** Only while the schema has not changed since: the columns here would not be restored. */
  #restore(): Step {
    return { sql: `RESTORE TABLE {T} TO VERSION AS OF ${String(Math.max(1, this.#versions - 2))} -- restore` };
  }
}

interface Place {
  readonly path: string;
  readonly type: DataType;
  /** The whole column's type with another one here. */
  readonly with: (type: DataType) => DataType;
}

function placesOf(type: DataType, path: string, build: (type: DataType) => DataType = (one) => one): Place[] {
  const own = { path, type, with: build };
  switch (type.kind) {
    case 'struct':
      return [own, ...type.fields.flatMap((inner) =>
        placesOf(inner.type, `${path}.${quoted(inner.name)}`, (one) => build(struct(type.fields.map((f) => (f === inner ? { ...f, type: one } : f))))),
      )]; // prettier-ignore
    case 'array':
      return [own, ...placesOf(type.element, `${path}.element`, (element) => build({ ...type, element }))];
    case 'map':
      return [own, ...placesOf(type.value, `${path}.value`, (value) => build({ ...type, value }))];
    case 'decimal':
    case 'primitive':
      return [own];
  }
}
