import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SETTING_NAMES } from '../../../src/config/setting-table.js';
import { DEFAULTS, type SettingSources, type Settings } from '../../../src/config/settings.js';
import { LOCK_SETTLE_MS, LOCK_STALE_MS } from '../../../src/durability/lease/limits.js';
import { LOCK_FILE, lockDataFolder } from '../../../src/server/cli/data-folder-lock.js';
import {
  checkStartup,
  describeListenError,
  descriptorError,
  readDescriptorLimit,
} from '../../../src/server/cli/startup-checks.js';
import { FILE_DESCRIPTORS_RESERVED } from '../../../src/server/limits.js';
import { requireOrSkip } from '../../require.js';

const HOLDER = fileURLToPath(new URL('./lock-holder.js', import.meta.url));
const sources = Object.fromEntries(SETTING_NAMES.map((name) => [name, 'default'])) as SettingSources;

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'tessera-startup-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function settingsFor(folder: string, others: Partial<Settings> = {}): Settings {
  return { ...DEFAULTS, data: folder, clientsMax: 16, ...others };
}

async function startHolder(t: TestContext, folder: string, then: 'stay' | 'leave', ...place: string[]) {
  const child: ChildProcess = spawn(process.execPath, [HOLDER, folder, then, ...place], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  const exited = once(child, 'exit');
  const [chunk] = await once(child.stdout!, 'data');
  return { child, exited, said: String(chunk).trim() };
}

test('a fresh data folder is made, locked with our process id, and given back', (t) => {
  const folder = join(temporaryFolder(t), 'deep', 'data');
  const result = checkStartup(settingsFor(folder), sources);
  assert.ok(result.ok);
  assert.match(readFileSync(join(folder, LOCK_FILE), 'utf8'), new RegExp(`^${process.pid} `));
  result.lock.release();
  result.lock.release();
  assert.deepEqual(readdirSync(folder), []);
});

test('a kill in the middle of taking the lock leaves the folder free', async (t) => {
  const folder = temporaryFolder(t);
  const child = spawn(process.execPath, [HOLDER, folder, 'die'], { stdio: 'ignore' });
  const [, signal] = await once(child, 'exit');
  assert.equal(signal, 'SIGKILL');
  const leftovers = readdirSync(folder);
  assert.equal(leftovers.length, 1, 'it was killed between making and writing the lock');
  const lock = lockDataFolder(folder);
  assert.ok(typeof lock !== 'string', String(lock));
  assert.ok(readdirSync(folder).includes(leftovers[0]), 'it may be of a server that is about to take the lock');
  lock.release();
  const old = (Date.now() - 2 * LOCK_STALE_MS) / 1000;
  utimesSync(join(folder, leftovers[0]), old, old);
  const next = lockDataFolder(folder);
  assert.ok(typeof next !== 'string');
  assert.deepEqual(readdirSync(folder), [LOCK_FILE]);
  next.release();
});

test('a second server in the same data folder is refused while the first one lives', async (t) => {
  const folder = temporaryFolder(t);
  const holder = await startHolder(t, folder, 'stay');
  assert.equal(holder.said, 'held');
  const result = checkStartup(settingsFor(folder), { ...sources, data: '--data' });
  assert.ok(!result.ok);
  assert.equal(result.errors.length, 1);
  assert.match(
    result.errors[0],
    new RegExp(`^data is ${folder} \\(from --data\\), but .*process id ${holder.child.pid}\\b`),
  );
  assert.match(result.errors[0], /choose another --data/);
});

test('the same process cannot take one data folder twice', (t) => {
  const folder = temporaryFolder(t);
  const lock = lockDataFolder(folder);
  assert.ok(typeof lock !== 'string');
  assert.match(String(lockDataFolder(folder)), new RegExp(`process id ${process.pid}\\b`));
  lock.release();
  const again = lockDataFolder(folder);
  assert.ok(typeof again !== 'string');
  again.release();
});

test('a process that exits gives its lock back, one that is killed leaves a lock that is taken over', async (t) => {
  const folder = temporaryFolder(t);
  const leaving = await startHolder(t, folder, 'leave');
  await leaving.exited;
  assert.equal(leaving.said, 'held');
  assert.ok(!existsSync(join(folder, LOCK_FILE)));

  const killed = await startHolder(t, folder, 'stay');
  killed.child.kill('SIGKILL');
  await killed.exited;
  assert.ok(existsSync(join(folder, LOCK_FILE)));
  const lock = lockDataFolder(folder);
  assert.ok(typeof lock !== 'string', String(lock));
  lock.release();
  assert.deepEqual(readdirSync(folder), []);
});

test("of many that find a dead server's lock at once exactly one takes it", async (t) => {
  const folder = temporaryFolder(t);
  const killed = await startHolder(t, folder, 'stay');
  killed.child.kill('SIGKILL');
  await killed.exited;
  const holders = await Promise.all(Array.from({ length: 6 }, () => startHolder(t, folder, 'stay')));
  assert.equal(holders.filter((holder) => holder.said === 'held').length, 1, holders.map((h) => h.said).join('\n'));
});

test('a process id that was given to somebody else does not hold the lock', {
  skip: !existsSync('/proc/self/stat'),
}, (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, LOCK_FILE), `${process.ppid} 1\n`);
  const lock = lockDataFolder(folder);
  assert.ok(typeof lock !== 'string', String(lock));
  lock.release();
});

test('a server in another container or on another host keeps us out while it lives, busy or not, and not after', async (t) => {
  const folder = temporaryFolder(t);
  const holder = await startHolder(t, folder, 'stay', 'another-boot pid:[7] host-a');
  const said: string[] = [];
  const refusal = lockDataFolder(folder, (line) => said.push(line));
  const pid = holder.child.pid;
  assert.match(
    String(refusal),
    new RegExp(`^but a server elsewhere \\(host host-a, process id ${pid}\\) uses ${folder}, and has just renewed`),
  );
  assert.match(said.join(), /host host-a.*5000 ms to show that it lives/);
  holder.child.kill('SIGKILL');
  await holder.exited;
  const lock = lockDataFolder(folder, (line) => said.push(line));
  assert.ok(typeof lock !== 'string', String(lock));
  assert.match(said.at(-1) as string, /has not shown that it lives/);
  lock.release();
  assert.deepEqual(readdirSync(folder), []);
});

test('a lock elsewhere that is given back while it is watched is taken at once', async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, LOCK_FILE);
  writeFileSync(path, '1 12345 another-boot pid:[7] host-a\n');
  const remover = spawn('sh', ['-c', 'sleep 0.4; rm "$1"', 'sh', path]);
  t.after(() => remover.kill());
  const startMs = performance.now();
  const lock = lockDataFolder(folder);
  assert.ok(typeof lock !== 'string', String(lock));
  assert.ok(performance.now() - startMs < LOCK_STALE_MS);
  lock.release();
});

test('a frozen server that lost its folder to another one finds that out', async (t) => {
  const folder = temporaryFolder(t);
  const holder = await startHolder(t, folder, 'stay', 'another-boot pid:[7] host-a');
  holder.child.kill('SIGSTOP');
  const lock = lockDataFolder(folder);
  assert.ok(typeof lock !== 'string', String(lock));
  const told = once(holder.child.stdout!, 'data');
  holder.child.kill('SIGCONT');
  assert.match(
    String(await told),
    new RegExp(`^${folder} was taken over by another server .*process id ${process.pid}`),
  );
  lock.release();
});

test('the lock of an earlier server, which names no place, is judged as one of here', {
  skip: !existsSync('/proc/self/stat'),
}, (t) => {
  const folder = temporaryFolder(t);
  const start = readFileSync(`/proc/${process.ppid}/stat`, 'utf8').split(') ')[1].split(' ')[19];
  writeFileSync(join(folder, LOCK_FILE), `${process.ppid} ${start}\n`);
  assert.match(String(lockDataFolder(folder)), new RegExp(`process id ${process.ppid}\\b`));
});

test('a lock without a name in it is respected while it is young and taken over when it is old', (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, LOCK_FILE);
  for (const text of ['', '\n', 'garbage', '12']) {
    writeFileSync(path, text);
    assert.match(String(lockDataFolder(folder)), /a server/, JSON.stringify(text));
    const old = (Date.now() - 2 * LOCK_SETTLE_MS) / 1000;
    utimesSync(path, old, old);
    const lock = lockDataFolder(folder);
    assert.ok(typeof lock !== 'string', String(lock));
    lock.release();
  }
});

test('releasing does not take away a lock that somebody else holds by now', (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, LOCK_FILE);
  const lock = lockDataFolder(folder);
  assert.ok(typeof lock !== 'string');
  writeFileSync(path, '1 1\n');
  lock.release();
  assert.equal(readFileSync(path, 'utf8'), '1 1\n');
  assert.deepEqual(readdirSync(folder), [LOCK_FILE]);
});

test('a data folder that cannot be is one line that names the setting and the folder', (t) => {
  const file = join(temporaryFolder(t), 'file');
  writeFileSync(file, '');
  for (const [folder, reason] of [
    [file, 'is a file, or lies below one'],
    [join(file, 'below'), 'is a file, or lies below one'],
    ['/proc/tessera-cannot-be-here', 'cannot be created'],
  ]) {
    const result = checkStartup(settingsFor(folder), { ...sources, data: 'TESSERA_DATA' });
    assert.ok(!result.ok);
    assert.equal(result.errors.length, 1);
    assert.ok(
      result.errors[0].startsWith(`data is ${folder} (from TESSERA_DATA), but ${folder} ${reason}`),
      result.errors[0],
    );
    assert.ok(!result.errors[0].includes('\n'));
  }
});

test('too few file descriptors and a bad data folder are told together, and no lock stays behind', (t) => {
  const folder = temporaryFolder(t);
  const limit = readDescriptorLimit();
  const isPassable = limit !== undefined && limit <= 65535;
  if (!requireOrSkip(t, isPassable, 'this system sets no limit that a setting can pass')) return;
  const few = checkStartup(settingsFor(folder, { clientsMax: 65535 }), { ...sources, clientsMax: '--clients-max' });
  assert.ok(!few.ok);
  assert.match(few.errors[0], /^clientsMax is 65535 \(from --clients-max\), which takes/);
  assert.deepEqual(readdirSync(folder), []);
  const both = checkStartup(settingsFor('/proc/tessera-cannot-be-here', { clientsMax: 65535 }), sources);
  assert.ok(!both.ok && both.errors.length === 2);
});

test('the file descriptor limit is compared with all that the server opens', () => {
  const needed = 100 + FILE_DESCRIPTORS_RESERVED;
  assert.equal(descriptorError(100, needed), undefined);
  assert.equal(descriptorError(100, Number.POSITIVE_INFINITY), undefined);
  assert.equal(descriptorError(100, undefined), undefined);
  assert.match(descriptorError(100, needed - 1)!, new RegExp(`ulimit -n ${needed}.*--clients-max to 99$`));
  assert.ok(!descriptorError(100, 10)!.includes('--clients-max'), 'no advice that leaves no client');
});

test('the limit is read from the words of the kernel', (t) => {
  const path = join(temporaryFolder(t), 'limits');
  const head = 'Limit                     Soft Limit           Hard Limit           Units     \n';
  writeFileSync(path, `${head}Max open files            1024                 4096                 files     \n`);
  assert.equal(readDescriptorLimit(path), 1024);
  writeFileSync(path, `${head}Max open files            unlimited            unlimited            files     \n`);
  assert.equal(readDescriptorLimit(path), Number.POSITIVE_INFINITY);
  writeFileSync(path, head);
  assert.equal(readDescriptorLimit(path), undefined);
  assert.equal(readDescriptorLimit(`${path}-missing`), undefined);
});

test('a taken port is one line that names the port', async (t) => {
  const first = createServer().listen(0, '127.0.0.1');
  t.after(() => first.close());
  await once(first, 'listening');
  const { port } = first.address() as { port: number };
  const second = createServer().listen(port, '127.0.0.1');
  const [error] = await once(second, 'error').catch((reason) => [reason]);
  const settings = settingsFor('data', { port });
  const line = describeListenError(error, settings, { ...sources, port: '--port' });
  assert.ok(line.startsWith(`port is ${port} (from --port), but another program has this port`), line);
  const foreign = describeListenError({ code: 'EADDRNOTAVAIL' }, settings, sources);
  assert.ok(foreign.startsWith('host is 127.0.0.1 (default), but this machine has no such address'), foreign);
});
