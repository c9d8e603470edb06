import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createRandom } from '../../../src/base/chance.js';
import { DISK, type JournalFile, type JournalFiles } from '../../../src/durability/journal/journal-disk.js';
import { segmentName } from '../../../src/durability/journal/journal-file.js';
import { listSessions, readSegment } from '../../../src/durability/journal/journal-reader.js';
import { JOURNAL_BYTES_MAX } from '../../../src/durability/journal/limits.js';
import { decodeZone } from '../../../src/durability/snapshots/zone-snapshot.js';
import { openFolder, until } from '../../folder.js';
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

/** Calls of these are not answered until `release`. */
function slowDisk(...names: ('rm' | 'open' | 'rename')[]): { files: JournalFiles; release: () => void } {
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const files = { ...DISK };
  for (const name of names) {
    const call = DISK[name] as (...args: unknown[]) => Promise<never>;
    files[name] = async (...args: unknown[]) => {
      await released;
      return call(...args);
    };
  }
  return { files, release };
}

test('a new segment takes the place of the last one when the events of its ticks are kept, and misses nothing', async (t) => {
  let kept = Promise.resolve();
  const stage = new JournalStage(openFolder(t), 2, { whenKept: () => kept });
  await stage.writer.begin(stage.nowMs);
  stage.tickAll(5);
  await stage.run();
  let keep = (): void => {};
  kept = new Promise((resolve) => {
    keep = resolve;
  });
  const begun = stage.run(SEGMENT_MS);
  const { folder } = stage;
  await until('the states to be copied', () => readdirSync(join(folder, '7')).length === 3);
  for (let i = 0; i < 4; i++) {
    stage.tickAll(3);
    const tick = 5 + 3 * (i + 1);
    await until('them to be written', () => {
      void stage.run(0);
      return stage.recover().every((zone) => zone.tick === tick);
    });
    assert.deepEqual(stage.segments, [segmentName(1)]);
  }
  keep();
  await begun;
  assert.deepEqual(stage.segments, [segmentName(1), segmentName(2)]);
  assert.deepEqual(stage.recover(), [at(17), at(17)]);
  await stage.writer.close(stage.nowMs);
});

test('old journals that do not go keep nothing from being written', { timeout: 30000 }, async (t) => {
  const folder = openFolder(t);
  mkdirSync(join(folder, '3'));
  for (const number of [1, 2, 3]) {
    writeFileSync(join(folder, '3', segmentName(number)), 'old');
    utimesSync(join(folder, '3', segmentName(number)), 1, 1);
  }
  const { files, release } = slowDisk('rm');
  const stage = new JournalStage(folder, 2, { files });
  await stage.writer.begin(stage.nowMs);
  for (let i = 1; i <= 3; i++) {
    stage.tickAll(5);
    await stage.run(SEGMENT_MS);
    assert.deepEqual(stage.recover(), [at(5 * i), at(5 * i)]);
  }
  release();
  await until('those that were waited for are gone', () => readdirSync(join(folder, '3')).length === 1);
  await stage.run(SEGMENT_MS);
  await until('the rest follows', () => !readdirSync(folder).includes('3'));
  await stage.writer.close(stage.nowMs);
});

for (const slow of ['open', 'rename'] as const) {
  test(`a new segment that waits for the disk (${slow}) keeps no tick from the present one, and has them all when it is there`, {
    timeout: 30000,
  }, async (t) => {
    const { files, release } = slowDisk(slow);
    const folder = openFolder(t);
    const first = new JournalStage(folder);
    await first.writer.begin(first.nowMs);
    const inner = first.writer as unknown as { options: { files: JournalFiles }; files: JournalFiles };
    inner.files = files;
    first.tickAll(5);
    void first.run(SEGMENT_MS);
    for (let i = 1; i <= 10; i++) {
      await until('what was there before is written', () => {
        void first.run(0);
        return first.recover()[1].tick === 5 * i;
      });
      assert.deepEqual(first.recover(), [at(5 * i), at(5 * i)]);
      first.tickAll(5);
    }
    assert.deepEqual(first.segments, [segmentName(1)]);
    release();
    await first.run(); // what was under way
    await first.run();
    assert.deepEqual(first.segments, [segmentName(1), segmentName(2)]);
    assert.deepEqual(first.recover(), [at(55), at(55)], 'from the new one alone');
    first.tickAll(1);
    await first.run();
    assert.deepEqual(first.recover(), [at(56), at(56)]);
    assert.deepEqual(first.recover(1), [at(56), at(56)], 'what both have counts once');
    assert.equal(first.counters.get('journalTicks'), 112);
    assert.deepEqual(first.lines, []);
    await first.writer.close(first.nowMs);
  });
}

test('ticks that could not be written are counted as dropped, and those that were as written', async (t) => {
  const stage = new JournalStage(openFolder(t), 1);
  await stage.writer.begin(stage.nowMs);
  const inner = stage.writer as unknown as { file: JournalFile; files: JournalFiles };
  inner.file.appendFile = () => Promise.reject(new Error('the disk is full'));
  inner.files = { ...DISK, open: () => Promise.reject(new Error('the disk is full')) };
  for (let i = 0; i < 5; i++) {
    stage.tickAll(2);
    await stage.run(2000);
  }
  assert.equal(stage.counters.get('journalTicks'), 0);
  assert.equal(stage.counters.get('journalTick'), 0);
  assert.equal(stage.counters.get('journalTicksDropped'), 10);
  assert.equal(stage.lines.filter((line) => /is not written/.test(line)).length, 1);
  inner.files = DISK;
  stage.tickAll(2);
  await stage.run(6000);
  assert.deepEqual(stage.recover(), [at(12)]);
  assert.equal(stage.counters.get('journalTicks'), 2);
  assert.equal(stage.counters.get('journalTick'), 12);
  assert.equal(stage.counters.get('journalTicksDropped'), 10);
  await stage.writer.close(stage.nowMs);
});

test('where no new segment can begin, the present one goes on', async (t) => {
  const stage = new JournalStage(openFolder(t));
  await stage.writer.begin(stage.nowMs);
  const inner = stage.writer as unknown as { files: JournalFiles };
  inner.files = { ...DISK, open: () => Promise.reject(new Error('EMFILE')) };
  for (let i = 0; i < 5; i++) {
    stage.tickAll(2);
    await stage.run(SEGMENT_MS);
  }
  assert.deepEqual(stage.recover(), [at(10), at(10)]);
  assert.deepEqual(stage.lines, ['no new segment of the journal can begin: EMFILE; it goes on in the present one']);
  inner.files = DISK;
  await stage.run(SEGMENT_MS);
  assert.equal(stage.segments.length, 2);
  assert.equal(stage.lines.at(-1), 'the journal goes on in a new segment');
  await stage.writer.close(stage.nowMs);
});

test('a segment that has grown to its bound is followed by another before its time is over', async (t) => {
  const stage = new JournalStage(openFolder(t), 2, { segmentBytesMax: 4000 });
  await stage.writer.begin(stage.nowMs);
  for (let i = 1; i <= 40; i++) {
    stage.tickAll(5);
    await stage.run();
    assert.deepEqual(stage.recover(), [at(5 * i), at(5 * i)]);
  }
  // 400 records of 20 bytes, and what is around them.
  assert.ok(stage.segments.length >= 3 && stage.segments.length <= 6, stage.segments.join());
  assert.deepEqual(stage.recover(1), [at(200), at(200)]);
  await stage.writer.close(stage.nowMs);
});

test('gaps one after the other cost few segments, and what is recovered is right', async (t) => {
  const stage = new JournalStage(openFolder(t), 1, { random: () => 0 });
  await stage.writer.begin(stage.nowMs);
  for (let i = 0; i < 200; i++) {
    for (let tick = 0; tick < 30; tick++) stage.tick(0, { payload: 200 });
    await stage.run();
    assert.ok(stage.recover()[0].isTrue);
  }
  assert.ok(stage.counters.get('journalGaps') >= 3, 'there were gaps all the time');
  assert.ok(stage.segments.length >= 3 && stage.segments.length <= 6, stage.segments.join());
  stage.tick(0);
  await stage.run(SEGMENT_MS);
  await stage.run(SEGMENT_MS);
  assert.deepEqual(stage.recover(), [at(6001)]);
  assert.deepEqual(stage.recover(), [at(6001)]);
  await stage.writer.close(stage.nowMs);
});

test('a segment that fails late is tried again after a pause from then on', { timeout: 30000 }, async (t) => {
  const stage = new JournalStage(openFolder(t), 1, { random: () => 0 });
  await stage.writer.begin(stage.nowMs);
  const { files, release } = slowDisk('open');
  let opened = 0;
  const inner = stage.writer as unknown as { files: JournalFiles };
  const open = async (...args: Parameters<JournalFiles['open']>): Promise<never> => {
    await (await files.open(...args)).close();
    throw new Error(`segment ${++opened} cannot be opened`);
  };
  inner.files = { ...DISK, open };
  void stage.run(SEGMENT_MS);
  void stage.run(10000);
  release();
  await stage.run(0);
  assert.equal(opened, 1);
  await stage.run(50);
  assert.equal(opened, 1, 'half of the shortest pause is over');
  await stage.run(50);
  assert.equal(opened, 2);
  inner.files = DISK;
  await stage.writer.close(stage.nowMs);
});

test('segments that gaps ask for are a pause apart, however long one of them takes', { timeout: 30000 }, async (t) => {
  const stage = new JournalStage(openFolder(t), 1, { random: () => 0 });
  await stage.writer.begin(stage.nowMs);
  const leaveGap = async (): Promise<void> => {
    for (const count of [30, 1]) {
      for (let i = 0; i < count; i++) stage.tick(0, { payload: 200 });
      await until('what is there is taken', () => {
        void stage.run(0);
        return stage.producers[0].readableBytes() === 0;
      });
    }
  };
  const inner = stage.writer as unknown as { files: JournalFiles; draft?: { serials: unknown[] } };
  const { files, release } = slowDisk('rename');
  inner.files = files;
  await leaveGap();
  await until('the second segment has its state', () => {
    void stage.run(0);
    return inner.draft?.serials[0] !== undefined;
  });
  await leaveGap();
  void stage.run(3000);
  release();
  await stage.run(0);
  assert.deepEqual(stage.segments, [1, 2].map(segmentName));
  await stage.run(900);
  assert.deepEqual(stage.segments, [1, 2].map(segmentName), 'less than a second after it was whole');
  await stage.run(200);
  assert.deepEqual(stage.segments, [1, 2, 3].map(segmentName));
  await stage.writer.close(stage.nowMs);
});

test('a wall clock that is set back holds no segment up', async (t) => {
  let wallMs = 1e12;
  const stage = new JournalStage(openFolder(t), 1, { wallMs: () => wallMs });
  await stage.writer.begin(stage.nowMs);
  wallMs -= 3600000;
  stage.tickAll(1);
  await stage.run(SEGMENT_MS);
  assert.equal(stage.segments.length, 2);
  const [session] = listSessions(stage.folder);
  const [base] = readSegment(session, segmentName(2)).bases;
  assert.equal(decodeZone(base).header.takenAtMs, wallMs);
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
  // Nothing waits for old journals to go, but who looks for them would say that one is gone meanwhile.
  const writer = stage.writer as unknown as { isPruning: boolean };
  await until('nobody looks for them', async () => !writer.isPruning);
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
  await until('the old ones are gone', () => readdirSync(former).join() === segmentName(3));
  truncateSync(join(former, segmentName(3)), JOURNAL_BYTES_MAX); // sparse
  age(join(former, segmentName(3)), KEEP_MS / 2);
  await stage.run(SEGMENT_MS);
  // Too large, and its session is empty then.
  await until('the large one is gone', () => readdirSync(folder).sort().join() === '7,backup,notes.txt');
  assert.equal(readFileSync(join(folder, 'notes.txt'), 'utf8'), 'mine');
  for (const name of stage.segments) age(join(folder, '7', name), 2 * KEEP_MS);
  await stage.run(SEGMENT_MS);
  // The present one and the one before it, however old.
  await until('two are left', () => stage.segments.length === 2);
  assert.deepEqual(stage.segments, [segmentName(2), segmentName(3)]);
  assert.deepEqual(stage.lines, []);
  await stage.writer.close(stage.nowMs);
});
