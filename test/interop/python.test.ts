// A client in another language, written from WIRE.md alone, against a real server.

import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { requireOrSkip } from '../require.js';
import { startServer } from '../server.js';

const run = promisify(execFile);
// Debian's, which has Debian's packages; another python3 may come first on the path.
const PYTHON = '/usr/bin/python3';
const CLIENT = join(process.cwd(), 'test', 'interop', 'client.py');

function hasPackages(): boolean {
  return spawnSync(PYTHON, ['-c', 'import flatbuffers, websockets']).status === 0;
}

/** The last line of the client's output; a failed client still says what it missed. */
async function runClient(wsUrl: string, generated: string): Promise<Record<string, unknown>> {
  const env = { ...process.env, PYTHONPATH: generated, PYTHONDONTWRITEBYTECODE: '1' };
  const output = await run(PYTHON, [CLIENT, wsUrl], { env, timeout: 60_000 }).catch((error) => error);
  assert.ok(typeof output.stdout === 'string' && output.stdout !== '', `no output: ${output.stderr ?? output}`);
  return JSON.parse(output.stdout.trim().split('\n').at(-1)!);
}

test('a Python client joins twice, walks, and both connections see it walk', async (t) => {
  const reason = 'needs the Debian packages python3-flatbuffers and python3-websockets';
  if (!requireOrSkip(t, hasPackages(), reason)) return;
  const generated = mkdtempSync(join(tmpdir(), 'tessera-python-'));
  await run(process.execPath, [join(process.cwd(), 'schemas', 'generate.mjs'), '--python', generated]);
  const server = await startServer(['--spawn', 'crowd', '--bots', '10']);
  try {
    const seen = await runClient(server.wsUrl, generated);
    assert.equal(seen.ok, true, `${JSON.stringify(seen)}\n${server.log()}`);
    assert.equal(seen.subprotocol, 'tessera.fb.1');
    assert.equal(seen.game, 'arena');
    assert.equal(seen.kind, 'player');
    assert.deepEqual(seen.values, { hp: 100 });
    assert.ok((seen.moved as number) >= 1);
    assert.ok((seen.seenMoving as number) >= 1);
    assert.equal(seen.closeCode, 1000);
  } finally {
    rmSync(generated, { recursive: true, force: true });
    assert.equal(await server.stop(), 0);
  }
});
