// Child processes that outlive their starter, found again by pid.

import { spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import net from 'node:net';
import { dirname } from 'node:path';

/** Below the range from which the kernel draws ports for clients: a stopped service finds its port again. */
const PORT_MIN = 20000;
const PORT_LIMIT = 30000;

export function findTool(name) {
  const found = spawnSync('sh', ['-c', `command -v ${name}`], {
    encoding: 'utf8',
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` },
  });
  return found.status === 0 ? found.stdout.trim() : undefined;
}

/** The first of several tools that is installed, or an error that says what to install. */
export function requireTool(names, hint) {
  for (const name of names) {
    const path = findTool(name);
    if (path) return path;
  }
  throw new Error(`${names.join(' or ')} is not installed (${hint})`);
}

/** Runs a tool to its end at low priority; its output goes to a log that is kept. */
export async function runTool(command, args, { logFile, cwd, env, timeoutMs }) {
  const log = openLog(logFile);
  const child = spawn('nice', ['-n', '15', command, ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  const code = await new Promise((resolve) => {
    child.once('error', () => resolve(-1));
    child.once('exit', (exitCode) => resolve(exitCode ?? -1));
  });
  clearTimeout(timer);
  if (code !== 0) throw new Error(`${command} ended with ${code}; see ${logFile}`);
}

export function spawnDetached(command, args, { logFile, cwd, env }) {
  const log = openLog(logFile);
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', log, log],
    detached: true,
  });
  closeSync(log);
  child.on('error', () => {});
  child.unref();
  if (child.pid === undefined) throw new Error(`${command} could not be started`);
  return child.pid;
}

function openLog(logFile) {
  mkdirSync(dirname(logFile), { recursive: true });
  return openSync(logFile, 'a');
}

/** A pid counts as ours only while its command line names `mark`: pids are used again. */
export function isAlive(pid, mark) {
  try {
    const status = readFileSync(`/proc/${pid}/stat`, 'utf8');
    if (status.slice(status.lastIndexOf(')') + 2, status.lastIndexOf(')') + 3) === 'Z') return false;
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(mark);
  } catch {
    return false;
  }
}

export async function stopProcess(pid, mark, graceMs = 10000) {
  if (!isAlive(pid, mark)) return;
  process.kill(pid, 'SIGTERM');
  if (await poll(() => !isAlive(pid, mark), graceMs)) return;
  process.kill(pid, 'SIGKILL');
  await poll(() => !isAlive(pid, mark), 2000);
}

export async function findFreePort() {
  for (let attempt = 0; attempt < 200; attempt++) {
    const port = PORT_MIN + Math.floor(Math.random() * (PORT_LIMIT - PORT_MIN));
    if (await canListen(port)) return port;
  }
  throw new Error(`no free port between ${PORT_MIN} and ${PORT_LIMIT}`);
}

function canListen(port) {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Asks over TCP: writes `request`, resolves true when the answer holds `expected` (or at once when there is none). */
export function probe(port, request = '', expected = '') {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    const end = (answer) => {
      socket.destroy();
      resolve(answer);
    };
    let seen = '';
    socket.setTimeout(2000, () => end(false));
    socket.once('error', () => end(false));
    socket.once('close', () => resolve(false));
    socket.once('connect', () => (request ? socket.write(request) : expected || end(true)));
    socket.on('data', (chunk) => {
      seen += chunk.toString('latin1');
      if (seen.includes(expected)) end(true);
    });
  });
}

export async function poll(check, timeoutMs, everyMs = 100) {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    if (await check()) return true;
    if (Date.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

/** Ready, or an error: the process died, or it did not answer in time. */
export async function waitReady(name, { pid, mark, check, timeoutMs, logFile }) {
  const answered = await poll(async () => !isAlive(pid, mark) || (await check()), timeoutMs);
  if (!isAlive(pid, mark)) throw new Error(`${name} ended while starting; see ${logFile}`);
  if (!answered) {
    await stopProcess(pid, mark, 2000);
    throw new Error(`${name} did not answer within ${timeoutMs} ms; see ${logFile}`);
  }
}
