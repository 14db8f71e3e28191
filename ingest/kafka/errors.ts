/**
 * What kafkajs throws, as errors for people: which brokers, which topic, why, what to do.
 *
 * Promise: user names and passwords are in none of them.
 */
import { messageOf, SluiceError } from '../../core/errors.ts';
import type { KafkaOptions } from './options.ts';

/** @param doing what was tried, as `reading the topics orders` */
export function kafkaError(thrown: unknown, options: KafkaOptions, doing: string): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  const brokers = options.brokers.join(', ');
  const [root, type] = rootOf(thrown);
  const facts = { brokers: options.brokers, topics: options.topics };
  const details = (advice: string): { advice: string; facts: typeof facts; cause: unknown } => ({
    advice,
    facts,
    cause: thrown,
  });
  if (root.name === 'KafkaJSSASLAuthenticationError') {
    return new SluiceError(
      'SOURCE_AUTH',
      `Kafka at ${brokers} refused the user name or password (${options.sasl?.mechanism ?? 'no SASL'})`,
      details(
        'Look at kafka.sasl.* in the statement, or at the connection in sluice.yaml, and at the variables they come from.',
      ),
    );
  }
  if (type?.endsWith('_AUTHORIZATION_FAILED') === true) {
    return new SluiceError(
      'SOURCE_AUTH',
      `Kafka at ${brokers} does not allow it while ${doing}: ${type}`,
      details(
        'The user needs READ and DESCRIBE on the topics, and READ on the consumer group (set groupId to one that it may use).',
      ),
    );
  }
  if (type === 'UNKNOWN_TOPIC_OR_PARTITION' || type === 'INVALID_TOPIC_EXCEPTION') {
    return new SluiceError(
      'SOURCE_MISSING',
      `Kafka at ${brokers} has lost a topic while ${doing}: ${type}`,
      details(
        'If it was deleted and made anew, its offsets start again: the tables that read it must be made anew, too.',
      ),
    );
  }
  const why = messageOf(root).replace(/^Connection error: /, '');
  return new SluiceError(
    'SOURCE_UNREACHABLE',
    `Kafka at ${brokers} failed while ${doing}: ${why}`,
    details(
      'Check that the brokers run and can be reached from here under the names that they advertise, and that the security protocol is the right one.',
    ),
  );
}

/** The innermost error, and the protocol's name of it where there is one. */
function rootOf(thrown: unknown): [Error, string | undefined] {
  let root = thrown instanceof Error ? thrown : new Error(messageOf(thrown));
  let type: string | undefined;
  for (let at: unknown = thrown; at instanceof Error; at = at.cause) {
    if ('type' in at && typeof at.type === 'string') type ??= at.type;
    root = at;
  }
  return [root, type];
}
