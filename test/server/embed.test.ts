import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { NODE_FLAGS } from '../../src/server/cli/node-flags.js';
import { startServer } from '../../src/server/embed.js';
import { openFolder } from '../folder.js';

test('a program starts a server inside itself, and a second one on its folder is refused', async (t) => {
  const data = join(openFolder(t), 'data');
  const server = await startServer({ port: 0, data, logLevel: 'silent', bots: 4 });
  try {
    assert.equal((await fetch(`${server.url}/readyz`)).status, 200);
    await assert.rejects(startServer({ port: 0, data, logLevel: 'silent' }), /data is .*, (?:which|but)/);
  } finally {
    assert.equal(await server.stop(), true);
  }
  await assert.rejects(fetch(server.url));
});

test('everything that is wrong with the settings is told at once', async () => {
  const wrong = { port: 99999, colour: 'red' } as never;
  await assert.rejects(startServer(wrong), (error: Error) => {
    assert.match(error.message, /port is 99999 \(from startServer\)/);
    assert.match(error.message, /colour/);
    return true;
  });
});

test('the program tessera runs with the flags of Node that a server wants', () => {
  const program = fileURLToPath(new URL('../../src/server/cli/tessera.js', import.meta.url));
  assert.equal(readFileSync(program, 'utf8').split('\n')[0], `#!/usr/bin/env -S node ${NODE_FLAGS.join(' ')}`);
});
