import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { JOURNAL_BYTES_MAX } from '../../src/constants.js';
import { segmentName } from '../../src/persist/journal-file.js';
import { listSessions, readSegment } from '../../src/persist/journal-reader.js';
import { createRandom } from '../../src/prng.js';
import { openFolder } from './folder.js';
import { JournalStage, KEEP_MS, SEGMENT_MS } from './journal-stage.js';

const SEED = Number(process.env.TESSERA_SEED ?? 1);
const FULL_CHILD = fileURLToPath(new URL('./full-journal-child.js', import.meta.url));

function at(tick: number) {
  return { tick, sum: (tick * (tick + 1)) / 2, isTrue: true };
}

test('what was written comes to the state that was, and segments follow one another', async (t) => {
  const stage = new JournalStage(openFolder(t));
  await stage.writer.begin(stage.nowMs);
  assert.deepEqual(stage.recover(), [at(0), at(0)], 'the world as it stood is there before anything happens');
  for (let i = 0; i < 10; i++) {
    stage.tickAll(7);
    await stage.run();
    assert.deepEqual(stage.recover(), [at(7 * (i + 1)), at(7 * (i + 1))]);
  }
  await stage.run(SEGMENT_MS);
  stage.tickAll(5);
  await stage.run();
  assert.deepEqual(stage.segments, [segmentName(1), segmentName(2)]);
  assert.deepEqual(stage.recover(), [at(75), at(75)]);
  assert.deepEqual(stage.recover(1), [at(75), at(75)], 'also from the segment before');
  const [session] = listSessions(stage.folder);
  assert.deepEqual(session.info, { epoch: 7 });
  const { hashes, damages } = readSegment(session, segmentName(1));
  assert.ok(hashes.length >= 2 * 5, `${hashes.length} state hashes`);
  assert.deepEqual(damages, []);
  assert.equal(stage.counters.get('journalTicks'), 150);
  assert.equal(stage.counters.get('journalTick'), 75);
  assert.deepEqual(stage.lines, []);
  await stage.writer.close(stage.nowMs);
});

test('records of ticks that a thread did not live to commit are superseded, wherever a segment ends', async (t) => {
  for (let round = 0; round < 40; round++) {
    const random = createRandom(SEED + round);
    const folder = openFolder(t);
    const stage = new JournalStage(folder);
    await stage.writer.begin(stage.nowMs);
    const ticks = [0, 0];
    for (let i = 0; i < 60; i++) {
      const zone = random() < 0.5 ? 0 : 1;
      const dies = random() < 0.2;
      stage.tick(zone, { dies });
      if (!dies) ticks[zone]++;
      if (random() < 0.5) await stage.run(random() < 0.2 ? SEGMENT_MS : 50);
      if (random() < 0.05) {
        // Its successor may begin while a tick thread is between its record and its commit, but then that thread goes on.
        if (dies) {
          stage.tick(zone);
          ticks[zone]++;
        }
        await stage.createWriter().begin(stage.nowMs);
      }
    }
    // A dead thread's last record may be the last one of all: nobody has seen that tick, and its zone has.
    for (const zone of [0, 1]) stage.tick(zone);
    await stage.run();
    const context = `TESSERA_SEED=${SEED + round}`;
    assert.deepEqual(stage.recover(), [at(ticks[0] + 1), at(ticks[1] + 1)], context);
    await stage.writer.close(stage.nowMs);
  }
});

test('a new segment waits until every zone has committed what the former one has of it', async (t) => {
  const stage = new JournalStage(openFolder(t));
  await stage.writer.begin(stage.nowMs);
  stage.tickAll(3);
  stage.tick(0, { dies: true });
  await stage.run();
  await stage.run(SEGMENT_MS);
  assert.equal(stage.segments.length, 1, 'zone 0 stands behind its journal');
  stage.tick(0);
  await stage.run();
  assert.equal(stage.segments.length, 2);
  assert.deepEqual(stage.recover(), [at(4), at(3)]);
  await stage.writer.close(stage.nowMs);
});

test('a ring that was full is a gap: it is told, and a new segment begins with what the ring did not hold', async (t) => {
  const stage = new JournalStage(openFolder(t));
  await stage.writer.begin(stage.nowMs);
  for (let i = 0; i < 30; i++) stage.tick(0, { payload: 200 });
  stage.tick(1);
  await stage.run();
  assert.equal(stage.counters.get('journalGaps'), 0, 'nobody can know yet');
  assert.ok(stage.recover()[0].tick < 30);
  stage.tick(0);
  await stage.run();
  assert.equal(stage.counters.get('journalGaps'), 1);
  assert.match(stage.lines.join(), /zone 0 lost ticks before 31/);
  await stage.run();
  assert.deepEqual(stage.segments, [segmentName(1), segmentName(2)]);
  assert.deepEqual(stage.recover(), [at(31), at(1)]);
  stage.tickAll(2);
  await stage.run();
  assert.deepEqual(stage.recover(), [at(33), at(3)]);
  await stage.writer.close(stage.nowMs);
});

test('an I/O thread that takes over goes on with the session, also when its first segments are gone', async (t) => {
  const folder = openFolder(t);
  const stage = new JournalStage(folder);
  await stage.writer.begin(stage.nowMs);
  for (let i = 0; i < 3; i++) await stage.run(SEGMENT_MS);
  rmSync(join(folder, '7', segmentName(1)));
  rmSync(join(folder, '7', segmentName(2)));
  stage.tickAll(4);
  await stage.createWriter().begin(stage.nowMs);
  stage.tickAll(4);
  await stage.run();
  assert.deepEqual(stage.segments, [3, 4, 5].map(segmentName));
  assert.deepEqual(stage.recover(), [at(8), at(8)]);
  assert.deepEqual(stage.lines, []);
  await stage.writer.close(stage.nowMs);
});

test('a folder that cannot be made is said once and tried again, and the journal begins when it can', async (t) => {
  const folder = join(openFolder(t), 'journal');
  writeFileSync(folder, 'in the way');
  const stage = new JournalStage(folder);
  await assert.rejects(stage.writer.begin(stage.nowMs), /EEXIST|ENOTDIR/);
  for (let i = 0; i < 20; i++) {
    stage.tickAll(1);
    await stage.run(1000);
  }
  assert.ok(stage.counters.get('journalFailures') > 2);
  assert.deepEqual(
    stage.lines.filter((line) => /is not written/.test(line)),
    [],
    'the caller of begin has said it',
  );
  rmSync(folder);
  await stage.run(6000);
  stage.tickAll(1);
  await stage.run();
  assert.deepEqual(stage.recover(), [at(21), at(21)]);
  assert.equal(stage.lines.at(-1), 'the journal is written again');
  await stage.writer.close(stage.nowMs);
});

test('a write that fails is said once; a torn segment is left as it is, and a new one begins when it can', async (t) => {
  const stage = new JournalStage(openFolder(t));
  await stage.writer.begin(stage.nowMs);
  stage.tickAll(3);
  await stage.run();
  const inner = stage.writer as unknown as { file: { appendFile(bytes: Buffer): Promise<void> } };
  const { file } = inner;
  const append = file.appendFile.bind(file);
  file.appendFile = async (bytes) => {
    await append(bytes.subarray(0, bytes.length / 2));
    throw new Error('the disk is full');
  };
  stage.tickAll(3);
  await stage.run();
  assert.match(stage.lines.join(), /not written: the disk is full; until it is, a kill loses more/);
  assert.deepEqual(
    stage.recover().every(({ tick, isTrue }) => tick >= 3 && isTrue),
    true,
  );
  stage.tickAll(3);
  await stage.run(200);
  stage.tickAll(3);
  await stage.run();
  assert.deepEqual(stage.recover(), [at(12), at(12)]);
  assert.deepEqual(stage.segments, [segmentName(1), segmentName(2)]);
  assert.equal(stage.lines.at(-1), 'the journal is written again');
  await stage.writer.close(stage.nowMs);
});

test('on a disk that is full and has room again, the journal goes on in a new segment', {
  timeout: 60000,
}, async () => {
  // Blocks of 512 or 1,024 bytes, as the shell has it.
  const command = `ulimit -f 20; exec "${process.execPath}" "${FULL_CHILD}"`;
  const { stdout } = await promisify(execFile)('sh', ['-c', command]);
  const { failures, lines, segments, kept, recovered } = JSON.parse(stdout);
  assert.ok(failures > 3, stdout);
  assert.ok(segments <= 4, `segments that failed are not left behind: ${stdout}`);
  assert.ok(kept > 0, 'what was written before is still of use');
  assert.deepEqual(recovered, [at(recovered[0].tick)]);
  assert.equal(lines.filter((line: string) => /is not written/.test(line)).length, 1, stdout);
  assert.match(lines.at(-1), /is written again/);
});

test('segments that are too old or too many go, but never the last two, and nothing that is not a journal', async (t) => {
  const folder = openFolder(t);
  const former = join(folder, '3');
  mkdirSync(former);
  writeFileSync(join(folder, 'notes.txt'), 'mine');
  mkdirSync(join(folder, 'backup'));
  const age = (path: string, ms: number) => utimesSync(path, (Date.now() - ms) / 1000, (Date.now() - ms) / 1000);
  for (const [number, ms] of [
    [1, 2 * KEEP_MS],
    [2, KEEP_MS + 1000],
    [3, KEEP_MS / 2],
  ]) {
    writeFileSync(join(former, segmentName(number)), 'old');
    age(join(former, segmentName(number)), ms);
  }
  const stage = new JournalStage(folder);
  await stage.writer.begin(stage.nowMs);
  assert.deepEqual(readdirSync(former), [segmentName(3)]);
  truncateSync(join(former, segmentName(3)), JOURNAL_BYTES_MAX); // sparse
  age(join(former, segmentName(3)), KEEP_MS / 2);
  await stage.run(SEGMENT_MS);
  assert.deepEqual(
    readdirSync(folder).sort(),
    ['7', 'backup', 'notes.txt'],
    'too large, and its session is empty then',
  );
  assert.equal(readFileSync(join(folder, 'notes.txt'), 'utf8'), 'mine');
  for (const name of stage.segments) age(join(folder, '7', name), 2 * KEEP_MS);
  await stage.run(SEGMENT_MS);
  assert.deepEqual(stage.segments, [segmentName(2), segmentName(3)].slice(-stage.segments.length));
  assert.equal(stage.segments.length, 2, 'the present one and the one before it, however old');
  assert.deepEqual(stage.lines, []);
  await stage.writer.close(stage.nowMs);
});
