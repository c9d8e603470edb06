// What Linux says about a process: CPU time of all its threads and of each, and memory. Elsewhere the answers are null.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Clock ticks of /proc per second; 100 on every Linux that Node supports. */
const TICKS_PER_SECOND = 100;
const LISTEN_STATE = '0A';

export interface ThreadCpu {
  id: number;
  name: string;
  cpuSeconds: number;
  /** Time during which it could have run and no core was free. */
  waitSeconds: number;
  /** How often it slept and was woken. */
  wakeUps: number;
}

export interface ProcessFigures {
  atMs: number;
  cpuSeconds: number;
  rssMiB: number;
  rssMiBMax: number;
  /** Of it, what belongs to this process alone and to no file. */
  anonMiB: number;
  threads: ThreadCpu[];
}

/** CPU seconds from the text of a stat file. The name in parentheses may hold spaces: fields count from its end. */
export function cpuSecondsOf(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function readMiB(status: string, key: string): number {
  const match = new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(status);
  return match === null ? 0 : Number(match[1]) / 1024;
}

/** null: there is no such process, or no /proc. */
export function readProcessFigures(pid: number): ProcessFigures | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return {
      atMs: performance.now(),
      cpuSeconds: cpuSecondsOf(readFileSync(`/proc/${pid}/stat`, 'utf8')),
      rssMiB: readMiB(status, 'VmRSS'),
      rssMiBMax: readMiB(status, 'VmHWM'),
      anonMiB: readMiB(status, 'RssAnon'),
      threads: readThreads(pid),
    };
  } catch {
    // The files of a process vanish with it; a missing answer is shown as such.
    return null;
  }
}

function readThreads(pid: number): ThreadCpu[] {
  return readdirSync(`/proc/${pid}/task`).map((task) => {
    const folder = `/proc/${pid}/task/${task}`;
    const name = readFileSync(`${folder}/comm`, 'utf8').trim();
    const status = readFileSync(`${folder}/status`, 'utf8');
    return {
      id: Number(task),
      name: Number(task) === pid ? 'main' : name,
      ...schedulingOf(readFileSync(`${folder}/schedstat`, 'utf8')),
      wakeUps: Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1] ?? 0),
    };
  });
}

/** From the text of a schedstat file: nanoseconds on a core and waiting for one. It is finer than stat, which counts in 10 ms. */
export function schedulingOf(schedstat: string): { cpuSeconds: number; waitSeconds: number } {
  const [runNs, waitNs] = schedstat.split(' ').map(Number);
  return { cpuSeconds: runNs / 1e9, waitSeconds: waitNs / 1e9 };
}

/** What each thread that lives at the end has used between two readings. */
export function threadUse(begin: ProcessFigures, end: ProcessFigures): ThreadCpu[] {
  const before = new Map(begin.threads.map((thread) => [thread.id, thread]));
  return end.threads.map((thread) => {
    const { cpuSeconds = 0, waitSeconds = 0, wakeUps = 0 } = before.get(thread.id) ?? {};
    return {
      ...thread,
      cpuSeconds: thread.cpuSeconds - cpuSeconds,
      waitSeconds: thread.waitSeconds - waitSeconds,
      wakeUps: thread.wakeUps - wakeUps,
    };
  });
}

export interface ThreadCores {
  name: string;
  cores: number;
  /** Share of the time in which it could have run and no core was free. */
  waiting: number;
}

/** Between two readings, by thread, busiest first; threads under half a percent of a core are left out. */
export function threadCores(begin: ProcessFigures, end: ProcessFigures): ThreadCores[] {
  const seconds = (end.atMs - begin.atMs) / 1000;
  return threadUse(begin, end)
    .map(({ name, cpuSeconds, waitSeconds }) => ({
      name,
      cores: cpuSeconds / seconds,
      waiting: waitSeconds / seconds,
    }))
    .filter((thread) => thread.cores >= 0.005)
    .sort((a, b) => b.cores - a.cores);
}

/** CPU seconds that all processes of this machine have used together, or null. */
export function readMachineCpuSeconds(): number | null {
  try {
    return machineCpuSecondsOf(readFileSync('/proc/stat', 'utf8'));
  } catch {
    // No /proc on this system.
    return null;
  }
}

/** user + nice + system + irq + softirq: the first columns, without those of idle time and waiting. */
export function machineCpuSecondsOf(stat: string): number {
  const columns = stat.split('\n', 1)[0].split(/\s+/).slice(1).map(Number);
  const [user, nice, system, , , irq, softirq] = columns;
  return (user + nice + system + irq + softirq) / TICKS_PER_SECOND;
}

/** The process that listens on a port of this machine, or null when it cannot be known. */
export function findListener(port: number): number | null {
  try {
    const wanted = port.toString(16).toUpperCase().padStart(4, '0');
    const inodes = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) =>
      readFileSync(file, 'utf8')
        .split('\n')
        .slice(1)
        .map((line) => line.trim().split(/\s+/))
        .filter((fields) => fields[1]?.endsWith(`:${wanted}`) && fields[3] === LISTEN_STATE)
        .map((fields) => `socket:[${fields[9]}]`),
    );
    const pid = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .find((name) => holdsAny(Number(name), inodes));
    return pid === undefined ? null : Number(pid);
  } catch {
    // No /proc on this system.
    return null;
  }
}

function holdsAny(pid: number, sockets: readonly string[]): boolean {
  try {
    const folder = `/proc/${pid}/fd`;
    return readdirSync(folder).some((fd) => {
      try {
        return sockets.includes(readlinkSync(`${folder}/${fd}`));
      } catch {
        // Closed between the listing and the look.
        return false;
      }
    });
  } catch {
    // Of another user, or gone.
    return false;
  }
}

/** How many files this process may open (Node has already raised the soft limit to the hard one), or null. */
export function openFilesMax(): number | null {
  try {
    const match = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    if (match === null) return null;
    return match[1] === 'unlimited' ? Number.POSITIVE_INFINITY : Number(match[1]);
  } catch {
    // No /proc on this system.
    return null;
  }
}
