/** `npm run kafka`: a broker to play with, until Ctrl-C. */
import { SluiceError } from '../core/errors.ts';
import { startKafka } from '../tests/services/kafka.ts';

try {
  const kafka = await startKafka();
  const { brokers, sasl, logFile } = kafka;
  process.stdout.write(`export KAFKA_BROKERS=${brokers.join(',')}\n`);
  if (sasl !== undefined) {
    process.stdout.write(
      `with SASL/PLAIN: ${sasl.brokers.join(',')}, user ${sasl.username}, password ${sasl.password}\n`,
    );
  }
  if (logFile !== undefined) process.stdout.write(`log: ${logFile}\nCtrl-C stops it and removes its data.\n`);
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        resolve();
      });
    }
  });
  const alive = setInterval(() => undefined, 60_000);
  await stopped;
  clearInterval(alive);
  await kafka.stop();
} catch (error) {
  if (!(error instanceof SluiceError)) throw error;
  process.stderr.write(`${error.code}: ${error.message}\n${error.advice ?? ''}\n`);
  process.exitCode = error.exitCode;
}
