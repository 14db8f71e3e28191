/**
 * Spark with Delta Lake and the Kafka connector, set up for Python scripts on this machine alone.
 *
 * Promise: it listens on the loopback address only, keeps its warehouse and scratch files in the folder that it was given,
 * and needs nothing but Java 17 or newer, Maven and Python.
 */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { builtOnce } from './cache.ts';
import { runCommand } from './command.ts';
import { python } from './python.ts';

const PACKAGES = ['io.delta:delta-spark_4.1_2.13:4.2.0', 'org.apache.spark:spark-sql-kafka-0-10_2.13:4.1.1'] as const;
/** Of the Hadoop version that Spark ships; 640 MB with the SDK that it needs. */
const S3_PACKAGES = ['org.apache.hadoop:hadoop-aws:3.4.2'] as const;
const ADVICE =
  'Spark needs Java 17 or newer and Maven (Debian: apt-get install openjdk-17-jre-headless maven), ' +
  'and Maven must reach a repository.';

export interface SparkOptions {
  /** An existing folder for the warehouse, Spark's scratch files and its configuration. */
  readonly folder: string;
  /** @default 2 */
  readonly cores?: number;
  /** @default '2g' */
  readonly driverMemory?: string;
  readonly conf?: Readonly<Record<string, string>>;
  /** Whether it is to read and write `s3a://`. @default false */
  readonly s3?: boolean;
}

export interface SparkLaunch {
  /** Runs a script with `pyspark` installed. */
  readonly python: string;
  /** Makes `SparkSession.builder.getOrCreate()` in that script a session with Delta Lake. */
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Installs Spark when it is not there yet, and writes the configuration of one session.
 * @example const { python, env } = await spark({ folder }); await runCommand(python, ['job.py'], { env, advice: '' })
 */
export async function spark(options: SparkOptions): Promise<SparkLaunch> {
  const interpreter = await python();
  await runCommand('java', ['-version'], { advice: ADVICE });
  const jars = await newJars(interpreter, 'spark-jars', PACKAGES);
  if (options.s3 === true) jars.push(...(await newJars(interpreter, 'spark-s3-jars', S3_PACKAGES)));
  const confFolder = join(options.folder, 'conf');
  await mkdir(confFolder, { recursive: true });
  const conf: Record<string, string> = {
    'spark.master': `local[${String(options.cores ?? 2)}]`,
    'spark.driver.memory': options.driverMemory ?? '2g',
    'spark.driver.host': '127.0.0.1',
    'spark.driver.bindAddress': '127.0.0.1',
    'spark.ui.enabled': 'false',
    'spark.ui.showConsoleProgress': 'false',
    'spark.jars': jars.join(','),
    'spark.sql.extensions': 'io.delta.sql.DeltaSparkSessionExtension',
    'spark.sql.catalog.spark_catalog': 'org.apache.spark.sql.delta.catalog.DeltaCatalog',
    'spark.sql.session.timeZone': 'UTC',
    'spark.sql.shuffle.partitions': '2',
    'spark.sql.warehouse.dir': join(options.folder, 'warehouse'),
    'spark.local.dir': join(options.folder, 'scratch'),
    ...options.conf,
  };
  const lines = Object.entries(conf).map(([key, value]) => `${key} ${value}\n`);
  await writeFile(join(confFolder, 'spark-defaults.conf'), lines.join(''));
  await writeFile(join(confFolder, 'log4j2.properties'), LOGGING);
  return {
    python: interpreter,
    env: { ...process.env, SPARK_CONF_DIR: confFolder, SPARK_LOCAL_IP: '127.0.0.1', PYSPARK_PYTHON: interpreter },
  };
}

/** The jars that Spark's own folder does not have: another version of one that it has would be in the way. */
async function newJars(interpreter: string, name: string, packages: readonly string[]): Promise<string[]> {
  const folder = await builtOnce(name, packages.join('\n'), (to) => copyJars(to, packages));
  const where = 'import pathlib, pyspark; print(pathlib.Path(pyspark.__file__).parent / "jars")';
  const sparkFolder = (await runCommand(interpreter, ['-c', where], { advice: ADVICE })).trim();
  const shipped = new Set((await readdir(sparkFolder)).map(artifactOf));
  const jars = (await readdir(folder)).filter((file) => file.endsWith('.jar') && !shipped.has(artifactOf(file)));
  return jars.map((file) => join(folder, file));
}

async function copyJars(folder: string, packages: readonly string[]): Promise<void> {
  const dependencies = packages.map((name) => {
    const [group = '', artifact = '', version = ''] = name.split(':');
    return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
  });
  const pom = join(folder, 'pom.xml');
  await writeFile(
    pom,
    '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>' +
      '<groupId>sluice</groupId><artifactId>spark-jars</artifactId><version>1</version>' +
      `<dependencies>${dependencies.join('')}</dependencies></project>`,
  );
  const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${folder}`];
  await runCommand('mvn', ['-B', '-q', '-f', pom, ...goal], { advice: ADVICE });
}

/** `delta-spark_4.1_2.13-4.2.0.jar` → `delta-spark_4.1_2.13` */
function artifactOf(file: string): string {
  return file.replace(/-\d[^-]*(-[A-Za-z][^-]*)?\.jar$/, '');
}

const LOGGING = `rootLogger.level = warn
rootLogger.appenderRef.stderr.ref = stderr
appender.console.type = Console
appender.console.name = stderr
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{HH:mm:ss} %p %c{1}: %m%n
`;
