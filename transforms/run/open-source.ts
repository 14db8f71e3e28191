/** The source of a streaming flow, opened: Kafka, the generator, or another table. */
import type { Clock } from '../../core/clock.ts';
import { SluiceError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import type { Engine } from '../../engine/engine.ts';
import { plainRecords, type DecodeSpec } from '../../ingest/decode/decode.ts';
import { GenerateSource } from '../../ingest/generate/index.ts';
import { KafkaSource } from '../../ingest/kafka/index.ts';
import type { Source } from '../../ingest/source.ts';
import type { DeltaTable } from '../../tables/index.ts';
import type { Flow, Project } from '../project.ts';
import type { Lake } from './lake.ts';
import { landedPositions } from './land.ts';
import type { Signals } from '../../core/signals.ts';
import { TableSource } from './table-source.ts';

export interface OpenParts {
  readonly project: Project;
  readonly flow: Flow;
  readonly target: DeltaTable;
  readonly lake: Lake;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly random: Random;
  readonly signals: Signals;
  /** How long an idle read of a table waits for a version of another process; 0: not at all. */
  readonly idleMs: () => number;
}

export interface OpenedSource {
  readonly source: Source;
  /** How its records become columns; undefined for rows that have their columns already. */
  readonly decode: DecodeSpec | undefined;
}

/**
 * @throws SluiceError `SOURCE_*` when it cannot be reached.
 */
export async function openSource(parts: OpenParts): Promise<OpenedSource> {
  const { project, flow, target, lake, engine, clock, random, signals, idleMs } = parts;
  const { source } = flow;
  switch (source?.kind) {
    case 'kafka': {
      const consumers = project.flows.filter((other) => other.source?.kind === 'kafka').length;
      const opened = await KafkaSource.open({
        options: source.options,
        project: project.config.name,
        flow: flow.target,
        folder: project.root,
        engine,
        clock,
        random,
        bufferBytes: Math.floor(project.config.ingest.buffer_bytes / Math.max(1, consumers)),
        plain: plainRecords(source.decode),
        positions: () => landedPositions(flow.target, target),
      });
      return { source: opened, decode: source.decode };
    }
    case 'generate':
      return { source: new GenerateSource({ options: source.options, engine, clock }), decode: source.decode };
    case 'table': {
      const table = lake.table(source.table);
      return { source: new TableSource({ name: source.table, table, signals, idleMs }), decode: undefined };
    }
    default:
      throw new SluiceError('INTERNAL', `${flow.target} has no source`);
  }
}
