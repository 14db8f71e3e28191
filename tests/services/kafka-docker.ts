/** A Kafka broker in a container, for machines where a Docker engine answers. The same image as in compose.yaml. */
import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { atExit } from './child.ts';
import { runCommand } from './command.ts';
import { serverProperties, type KafkaPorts } from './kafka-config.ts';
import type { BrokerProcess } from './broker-process.ts';

const IMAGE = 'apache/kafka:4.1.1';
const ADVICE = 'Look at the Docker engine, or stop it to let Java run the broker.';

/** Whether an engine answers: the client alone is not enough. */
export function dockerIsThere(): boolean {
  try {
    const asked = ['info', '--format', '{{.ServerVersion}}'];
    return (
      execFileSync('docker', asked, { timeout: 5000, stdio: ['ignore', 'pipe', 'ignore'] })
        .toString()
        .trim() !== ''
    );
  } catch {
    return false;
  }
}

export class DockerBroker implements BrokerProcess {
  readonly logFile: string;
  readonly #folder: string;
  readonly #ports: KafkaPorts;
  readonly #name: string;
  #created = false;
  #forget = (): void => undefined;

  private constructor(folder: string, ports: KafkaPorts) {
    this.#folder = folder;
    this.#ports = ports;
    this.#name = basename(folder);
    this.logFile = join(folder, 'kafka.log');
  }

  /** A broker with empty data, not started yet. */
  static async create(ports: KafkaPorts): Promise<DockerBroker> {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-kafka-'));
    await chmod(folder, 0o755);
    await writeFile(
      join(folder, 'server.properties'),
      serverProperties(ports, '0.0.0.0', '/var/lib/kafka/data/sluice'),
    );
    return new DockerBroker(folder, ports);
  }

  async start(): Promise<void> {
    if (this.#created) {
      await this.#docker('start', this.#name);
      return;
    }
    const { plain, sasl, tls } = this.#ports;
    const publish = [plain, sasl, tls].flatMap((port) => ['-p', `127.0.0.1:${String(port)}:${String(port)}`]);
    const mount = ['-v', `${this.#folder}:/mnt/shared/config:ro`];
    this.#created = true;
    this.#forget = atExit(() => execFileSync('docker', ['rm', '-fv', this.#name], { stdio: 'ignore' }));
    await this.#docker('run', '-d', '--name', this.#name, ...publish, ...mount, IMAGE);
  }

  isRunning(): boolean {
    try {
      const asked = ['inspect', '--format', '{{.State.Running}}', this.#name];
      return (
        execFileSync('docker', asked, { stdio: ['ignore', 'pipe', 'ignore'] })
          .toString()
          .trim() === 'true'
      );
    } catch {
      return false;
    }
  }

  async end(how: 'clean' | 'kill'): Promise<void> {
    if (this.isRunning()) await this.#docker(how === 'kill' ? 'kill' : 'stop', this.#name);
    await writeFile(this.logFile, await this.#docker('logs', this.#name).catch(() => ''));
  }

  async lastWords(): Promise<string> {
    return this.#docker('logs', '--tail', '30', this.#name).catch(() => '');
  }

  async remove(): Promise<void> {
    await this.#docker('rm', '-fv', this.#name);
    this.#forget();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #docker(...args: string[]): Promise<string> {
    return runCommand('docker', args, { advice: ADVICE });
  }
}
