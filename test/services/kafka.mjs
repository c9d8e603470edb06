import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE_FOLDER, SOURCE_FOLDER } from './paths.mjs';
import { findFreePort, requireTool, runTool, spawnDetached } from './process.mjs';

export const KAFKA_VERSION = process.env.TESSERA_KAFKA_VERSION || '4.1.1';
const POM = join(SOURCE_FOLDER, 'kafka', 'pom.xml');
const LOG_CONFIG = join(SOURCE_FOLDER, 'kafka', 'log4j2.properties');
/** Any 16 bytes in base64 do; one name for all our brokers lets a kept data folder be used again. */
const CLUSTER_ID = 'dGVzc2VyYXRlc3NlcmFfXw';

/** The broker's jars, fetched once. A half-fetched folder never gets the final name. */
async function fetchJars(logFile) {
  const jars = join(CACHE_FOLDER, `kafka-${KAFKA_VERSION}`);
  if (existsSync(jars)) return jars;
  const maven = requireTool(['mvn'], 'Debian: apt-get install maven; needed once, to fetch Kafka');
  const partial = `${jars}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${partial}`];
  const args = ['-q', '-B', '-f', POM, `-Dkafka.version=${KAFKA_VERSION}`, ...goal];
  await runTool(maven, args, { logFile, cwd: partial, timeoutMs: 600000 });
  if (!readdirSync(partial).some((file) => file.startsWith('kafka_'))) {
    throw new Error(`the artifacts of Kafka ${KAFKA_VERSION} were not fetched; see ${logFile}`);
  }
  renameSync(partial, jars);
  return jars;
}

function writeProperties(file, { folder, port, advertisedPort, innerPort, controllerPort }) {
  const lines = [
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.voters=1@127.0.0.1:${controllerPort}`,
    `listeners=CLIENT://127.0.0.1:${port},INNER://127.0.0.1:${innerPort},CONTROLLER://127.0.0.1:${controllerPort}`,
    `advertised.listeners=CLIENT://127.0.0.1:${advertisedPort},INNER://127.0.0.1:${innerPort}`,
    'listener.security.protocol.map=CLIENT:PLAINTEXT,INNER:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'controller.listener.names=CONTROLLER',
    'inter.broker.listener.name=INNER',
    `log.dirs=${join(folder, 'data')}`,
    'num.partitions=4',
    'auto.create.topics.enable=false',
    'offsets.topic.replication.factor=1',
    'offsets.topic.num.partitions=4',
    'transaction.state.log.replication.factor=1',
    'transaction.state.log.min.isr=1',
    'transaction.state.log.num.partitions=4',
    'group.initial.rebalance.delay.ms=0',
    'controlled.shutdown.enable=false',
    // A test makes many small topics: small index files keep them from filling the disk.
    'log.index.size.max.bytes=65536',
    'log.segment.bytes=67108864',
    'log.retention.bytes=268435456',
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
}

export const kafka = {
  name: 'kafka',
  readyMs: 60000,
  /** `advertise` tells clients another port than the broker's own: a test's proxy stands there. */
  async start({ folder, port, logFile, advertise, previous }) {
    const java = requireTool(['java'], 'Debian: apt-get install openjdk-17-jre-headless');
    const jars = await fetchJars(logFile);
    const innerPort = previous?.innerPort ?? (await findFreePort());
    const controllerPort = previous?.controllerPort ?? (await findFreePort());
    const properties = join(folder, 'server.properties');
    writeProperties(properties, { folder, port, advertisedPort: advertise ?? port, innerPort, controllerPort });
    const options = [
      '-Xms64m',
      '-Xmx512m',
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      `-Dlog4j2.configurationFile=${LOG_CONFIG}`,
      '-cp',
      join(jars, '*'),
    ];
    if (!existsSync(join(folder, 'data', 'meta.properties'))) {
      const format = ['kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', properties];
      await runTool(java, [...options, ...format], { logFile, cwd: folder, timeoutMs: 60000 });
    }
    const pid = spawnDetached(java, [...options, 'kafka.Kafka', properties], { logFile, cwd: folder });
    return {
      pid,
      mark: properties,
      innerPort,
      controllerPort,
      version: KAFKA_VERSION,
      env: { TESSERA_KAFKA: `127.0.0.1:${port}` },
    };
  },
  // ApiVersions, version 0: answered only when the broker serves. Its answer begins with our correlation id.
  probe: {
    request: Buffer.from('0000000f001200000000abcd000570726f6265', 'hex'),
    expected: Buffer.from('0000abcd0000', 'hex').toString('latin1'),
  },
};
