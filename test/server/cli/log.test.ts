import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { formatLogLine } from '../../../src/server/cli/log.js';

const LOG = fileURLToPath(new URL('../../../src/server/cli/log.js', import.meta.url));
const AT = new Date(2026, 10, 30, 7, 5, 9, 42);

test('a line for people has time, level, text and values', () => {
  const json = JSON.stringify({
    level: 40,
    time: AT.getTime(),
    thread: 0,
    zones: [0, 1],
    reason: 'exited with code 1',
    url: 'redis://a:1',
    msg: 'replaced',
  });
  assert.equal(
    formatLogLine(json),
    '2026-11-30 07:05:09.042 warn   replaced  thread=0 zones=[0,1] reason="exited with code 1" url=redis://a:1\n',
  );
});

test('a line without values ends with its text, one of an unknown level has its number', () => {
  assert.equal(
    formatLogLine(JSON.stringify({ level: 35, time: AT.getTime(), msg: 'so' })),
    '2026-11-30 07:05:09.042 35     so\n',
  );
});

test('of an error people see the message, not the stack', () => {
  const err = { type: 'Error', message: 'no room', stack: 'Error: no room\n    at here' };
  assert.match(
    formatLogLine(JSON.stringify({ level: 50, time: 1, err, msg: 'failed' })),
    /error {2}failed {2}err="no room"\n$/,
  );
});

for (const [form, pattern] of [
  ['auto', /^\{"level":40,.*"a":1,"msg":"x"\}\n$/],
  ['json', /^\{"level":40,.*"a":1,"msg":"x"\}\n$/],
  ['text', /^\d{4}-\S+ \S+ warn {3}x {2}a=1\n$/],
] as const) {
  test(`a log that is no terminal, with --log ${form}`, async () => {
    const code = `import { createLog } from ${JSON.stringify(LOG)};
      const log = createLog({ logLevel: 'warn', log: '${form}' });
      log.info({}, 'not shown'); log.warn({ a: 1 }, 'x');`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    await new Promise((resolve) => child.once('close', resolve));
    assert.match(text, pattern);
  });
}

test('what C code writes to the error stream without a line end is not glued to a line of the log', async () => {
  const code = `import { writeSync } from 'node:fs'; import { createLog } from ${JSON.stringify(LOG)};
    const log = createLog({ logLevel: 'warn', log: 'json' });
    writeSync(2, 'Write error: No space left on device position 0, size 4096'); log.warn({}, 'x');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'ignore'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  await new Promise((resolve) => child.once('close', resolve));
  assert.equal(JSON.parse(text).msg, 'x');
});
