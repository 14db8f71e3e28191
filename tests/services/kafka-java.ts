/**
 * A Kafka broker as a Java process of this one.
 *
 * Promise: it never outlives this process, unless this process is killed with -9.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atExit, end, hasExited } from './child.ts';
import { runCommand } from './command.ts';
import { LOG_CONFIG, serverProperties, type KafkaPorts } from './kafka-config.ts';
import { kafkaJars } from './kafka-jars.ts';
import type { BrokerProcess } from './broker-process.ts';

const OLDEST_JAVA = 17;
const CLUSTER_ID = 'c2x1aWNlLXRlc3RzLTAwMQ';
const JVM = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:+ExitOnOutOfMemoryError'];

export function javaIsThere(): boolean {
  try {
    const settings = execFileSync('java', ['--version'], { timeout: 20_000, stdio: ['ignore', 'pipe', 'ignore'] });
    return Number(/^\S+ (\d+)/.exec(settings.toString())?.[1]) >= OLDEST_JAVA;
  } catch {
    return false;
  }
}

export class JavaBroker implements BrokerProcess {
  readonly logFile: string;
  readonly #folder: string;
  readonly #jars: string;
  #child: ChildProcess | undefined;
  #forget = (): void => undefined;

  private constructor(folder: string, jars: string) {
    this.#folder = folder;
    this.#jars = jars;
    this.logFile = join(folder, 'kafka.log');
  }

  /** A broker with empty data, not started yet. */
  static async create(ports: KafkaPorts): Promise<JavaBroker> {
    const jars = await kafkaJars();
    const folder = await mkdtemp(join(tmpdir(), 'sluice-kafka-'));
    const broker = new JavaBroker(folder, jars);
    await writeFile(broker.#config, serverProperties(ports, '127.0.0.1', join(folder, 'data')));
    await writeFile(join(folder, 'log4j2.properties'), LOG_CONFIG);
    const format = ['format', '--cluster-id', CLUSTER_ID, '--config', broker.#config];
    await runCommand('java', ['-XX:TieredStopAtLevel=1', ...broker.#java(), 'kafka.tools.StorageTool', ...format], {
      advice: `Look into ${folder}.`,
    });
    return broker;
  }

  async start(): Promise<void> {
    const log = await open(this.logFile, 'a');
    try {
      const child = spawn('java', [...this.#java(), 'kafka.Kafka', this.#config], {
        stdio: ['ignore', log.fd, log.fd],
        cwd: this.#folder,
      });
      this.#child = child;
      this.#forget = atExit(() => child.kill('SIGKILL'));
    } finally {
      await log.close();
    }
  }

  isRunning(): boolean {
    return this.#child !== undefined && !hasExited(this.#child);
  }

  async end(how: 'clean' | 'kill'): Promise<void> {
    if (this.#child !== undefined) await end(this.#child, how === 'kill' ? 'SIGKILL' : 'SIGTERM');
    this.#forget();
  }

  async lastWords(): Promise<string> {
    const text = await readFile(this.logFile, 'utf8').catch(() => '');
    return text.split('\n').slice(-30).join('\n');
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  get #config(): string {
    return join(this.#folder, 'server.properties');
  }

  #java(): string[] {
    const logging = `-Dlog4j2.configurationFile=${join(this.#folder, 'log4j2.properties')}`;
    return [...JVM, logging, '-cp', join(this.#jars, '*')];
  }
}
