import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadSettings } from '../../../src/config/settings.js';
import { describeStart } from '../../../src/server/cli/start-lines.js';

function start(argv: string[], env: Record<string, string> = {}, file = '{}'): string {
  const loaded = loadSettings({ argv, env, readFile: () => file });
  assert.ok(loaded.ok && 'settings' in loaded);
  return describeStart(loaded.settings, loaded.sources, { port: 81, threads: 1 });
}

test('the start names each backend and where its setting came from', () => {
  const text = start(
    ['--kafka', 'k:9092', '--data', 'here'],
    { TESSERA_REDIS: 'redis://me:word@r:1/2?a=b' },
    '{"mongodb": "mongodb://me:word@m:3/name"}',
  );
  assert.match(text, /^listening on http:\/\/127\.0\.0\.1:81$/m);
  assert.match(text, /^ {2}event log {11}Kafka, k:9092 \(from --kafka\)$/m);
  assert.match(text, /^ {2}hot store {11}Redis, redis:\/\/r:1\/2 \(from TESSERA_REDIS\)$/m);
  assert.match(text, /^ {2}cold store {10}MongoDB, mongodb:\/\/m:3\/name \(from tessera\.json\)$/m);
  assert.match(text, /^ {2}data folder {9}here \(from --data\)$/m);
  assert.doesNotMatch(text, /word/);
});

test('what is not set is embedded, in the data folder', () => {
  const text = start(['--journal-flush-ms', '0', '--host', '::1']);
  assert.match(text, /event log {11}embedded, data\/stores\/log \(--kafka is not set\)/);
  assert.match(text, /hot store {11}embedded, data\/stores\/hot \(--redis is not set\)/);
  assert.match(text, /cold store {10}embedded, data\/stores\/cold \(--mongodb is not set\)/);
  assert.match(text, /data folder {9}data \(default\)/);
  assert.match(text, /journal {13}none \(--journal-flush-ms is 0\)/);
  assert.match(text, /http:\/\/\[::1\]:81\//);
  assert.match(text, /on 1 tick thread at 60\/s/);
});
