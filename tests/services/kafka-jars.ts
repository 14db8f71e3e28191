/** The jars of a Kafka broker, from Maven Central through the `mvn` client, kept in the cache of the repository. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { builtOnce } from './cache.ts';
import { runCommand } from './command.ts';

const ARTIFACTS = [
  ['org.apache.kafka', 'kafka_2.13', '4.1.1'],
  ['org.apache.logging.log4j', 'log4j-slf4j-impl', '2.24.3'],
] as const;

/** The folder of the jars, fetched when it is not there yet (once, about 20 seconds). */
export async function kafkaJars(): Promise<string> {
  return builtOnce('kafka', pom(), async (folder) => {
    const temp = await mkdtemp(join(tmpdir(), 'sluice-kafka-pom-'));
    try {
      await writeFile(join(temp, 'pom.xml'), pom());
      const fetch = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${folder}`];
      await runCommand('mvn', ['-q', '-B', '-f', join(temp, 'pom.xml'), ...fetch], {
        advice: 'Install Maven (Debian: apt-get install maven) and let it reach Maven Central.',
      });
    } finally {
      await rm(temp, { recursive: true, force: true });
    }
  });
}

function pom(): string {
  const dependencies = ARTIFACTS.map(
    ([group, artifact, version]) =>
      `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`,
  );
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion><groupId>sluice</groupId><artifactId>kafka-broker</artifactId><version>1</version>
<packaging>pom</packaging><dependencies>${dependencies.join('')}</dependencies></project>\n`;
}
