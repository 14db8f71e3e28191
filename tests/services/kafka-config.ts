/**
 * The configuration of a broker for tests: one node that is broker and controller (KRaft), on loopback only, with groups
 * and transactions that are ready at once, a second listener that asks for a password, and a third one that does so over TLS.
 */
import { loopbackCertificate } from './certificate.ts';

/** Of the listener with TLS: made anew for each run of the tests. */
export const TLS_CERTIFICATE = loopbackCertificate();

/** The one user of the listeners with SASL/PLAIN. Not a secret: the broker listens on loopback and lives for one test run. */
export const SASL_USER = { username: 'sluice', password: 'only-for-tests' } as const;

export interface KafkaPorts {
  readonly plain: number;
  readonly sasl: number;
  readonly tls: number;
  readonly controller: number;
}

/** @param host where the broker binds; inside a container that is every interface, published on loopback only. */
export function serverProperties(ports: KafkaPorts, host: string, dataFolder: string): string {
  const { username, password } = SASL_USER;
  const login = `org.apache.kafka.common.security.plain.PlainLoginModule required user_${username}="${password}";`;
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${String(ports.controller)}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAIN://${host}:${String(ports.plain)},SASL://${host}:${String(ports.sasl)},TLS://${host}:${String(ports.tls)},CONTROLLER://127.0.0.1:${String(ports.controller)}`,
    'advertised.listeners': `PLAIN://127.0.0.1:${String(ports.plain)},SASL://127.0.0.1:${String(ports.sasl)},TLS://127.0.0.1:${String(ports.tls)}`,
    'listener.security.protocol.map': 'PLAIN:PLAINTEXT,SASL:SASL_PLAINTEXT,TLS:SASL_SSL,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'PLAIN',
    'sasl.enabled.mechanisms': 'PLAIN',
    'listener.name.sasl.plain.sasl.jaas.config': login,
    'listener.name.tls.plain.sasl.jaas.config': login,
    'listener.name.tls.ssl.keystore.type': 'PEM',
    'listener.name.tls.ssl.keystore.key': onOneLine(TLS_CERTIFICATE.key),
    'listener.name.tls.ssl.keystore.certificate.chain': onOneLine(TLS_CERTIFICATE.certificate),
    'log.dirs': dataFolder,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 1,
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 500,
    'auto.create.topics.enable': false,
    'log.cleaner.dedupe.buffer.size': 8_388_608,
    'log.cleaner.backoff.ms': 200,
    'log.retention.check.interval.ms': 500,
    'log.segment.delete.delay.ms': 100,
    'num.network.threads': 2,
    'num.io.threads': 2,
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${String(value)}\n`)
    .join('');
}

/** As a value in a file of Java properties. */
function onOneLine(pem: string): string {
  return pem.trim().replaceAll('\n', '\\n');
}

export const LOG_CONFIG = `status=error
appender.out.type=Console
appender.out.name=OUT
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=[%d] %p %m (%c)%n%throwable
rootLogger.level=info
rootLogger.appenderRef.out.ref=OUT
`;
