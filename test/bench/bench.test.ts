import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { foldChecksum, measureCases } from '../../bench/bench.js';
import { BENCH_MODULES } from '../../bench/modules.js';

const SEED = 7;
const RUN = fileURLToPath(new URL('../../bench/run.js', import.meta.url));

function runBench(...args: string[]) {
  return spawnSync(process.execPath, [RUN, ...args], { encoding: 'utf8', timeout: 60_000 });
}

for (const [name, load] of Object.entries(BENCH_MODULES)) {
  test(`the bench ${name} runs small and its checksums depend on the seed alone`, async () => {
    const bench = await load();
    assert.equal(bench.name, name, 'the name in the list is the name of the module');
    const first = await bench.run({ small: true, seed: SEED });
    const second = await bench.run({ small: true, seed: SEED });
    assert.ok(first.length > 0);
    assert.equal(new Set(first.map((row) => row.name)).size, first.length, 'row names are unique');
    assert.deepEqual(
      second.map((row) => [row.name, row.checksum]),
      first.map((row) => [row.name, row.checksum]),
      `seed ${SEED}`,
    );
    for (const row of [...first, ...second]) {
      assert.ok(row.samples > 0, `${row.name} has samples`);
      assert.ok(Number.isInteger(row.checksum) && row.checksum >= 0 && row.checksum <= 0xffffffff, row.name);
      for (const figure of [row.perSecond, row.meanUs, row.p99Us]) {
        assert.ok(Number.isFinite(figure) && figure > 0, `${row.name}: ${figure}`);
      }
    }
  });
}

test('a checksum is made of the first calls and not of how many the clock allowed', async () => {
  let calls = 0;
  let prepared = 0;
  const [row] = await measureCases(
    [{ name: 'count', unitsPerCall: 10, prepare: () => void prepared++, call: () => calls++ }],
    { small: true, seed: SEED },
  );
  assert.ok(calls > 4);
  assert.equal(prepared, calls, 'prepared before each call');
  assert.equal(
    row.checksum,
    [0, 1, 2, 3].reduce((checksum, value) => foldChecksum(checksum, value), 0),
  );
});

test('a checksum sees order, fractions and large numbers', () => {
  const fold = (...values: number[]) => values.reduce((checksum, value) => foldChecksum(checksum, value), 0);
  assert.notEqual(fold(1, 2), fold(2, 1));
  assert.notEqual(fold(0.25), fold(0.5));
  assert.notEqual(fold(2 ** 40), fold(2 ** 41));
  assert.notEqual(fold(0), fold(0, 0));
});

test('a bench case that throws fails the run', async () => {
  let calls = 0;
  const call = () => {
    if (calls++ === 5) throw new Error('broken case');
    return 0;
  };
  await assert.rejects(
    measureCases([{ name: 'broken', unitsPerCall: 1, call }], { small: true, seed: SEED }),
    /broken case/,
  );
});

test('the bench command prints machine, seed and checksums, and writes the same rows as JSON', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tessera-bench-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'bench.json');
  const { status, stdout, stderr } = runBench('--small', '--seed', '9', '--json', file, 'quadtree');
  assert.equal(status, 0, stderr);
  const report = JSON.parse(readFileSync(file, 'utf8'));
  assert.equal(report.seed, 9);
  assert.equal(report.machine.node, process.versions.node);
  assert.match(stdout, /seed 9/);
  assert.ok(report.rows.length > 0);
  for (const row of report.rows) {
    assert.equal(row.module, 'quadtree');
    assert.ok(stdout.includes(row.name) && stdout.includes(row.checksum.toString(16).padStart(8, '0')), row.name);
  }
});

test('an unknown bench, option, seed or an unwritable file is one clear error and exit code 1', () => {
  for (const [args, message] of [
    [['quadtre'], /no bench is called quadtre; there are: .*quadtree/],
    [['toString'], /no bench is called toString/],
    [['--fast'], /--fast/],
    [['--seed', 'x'], /--seed is x/],
    [['--small', '--json', '/nowhere/at/all.json', 'quadtree'], /cannot write --json \/nowhere\/at\/all.json/],
  ] as const) {
    const { status, stderr } = runBench(...args);
    assert.equal(status, 1, args.join(' '));
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /\n\s+at /, 'no stack trace');
  }
});

test('--help names every option and every bench', () => {
  const { status, stdout } = runBench('--help');
  assert.equal(status, 0);
  for (const word of ['--json FILE', '--small', '--seed N', ...Object.keys(BENCH_MODULES)]) {
    assert.ok(stdout.includes(word), word);
  }
});
