// The log of the process, on its standard output: one JSON object per line for programs, or lines for people. The error
// stream is no place for it: on a full disk the C code of LMDB writes there, one of its texts without a line end, and the
// next line of the log would stand behind it.
//
//  text   2026-11-30 22:25:45.123 warn   tick thread replaced after 34 ms  thread=0 zones=[0,1] reason="exited with code 1"
//  json   {"level":40,"time":1796077545123,"thread":0,"zones":[0,1],"reason":"...","msg":"tick thread replaced after 34 ms"}

import { isatty } from 'node:tty';
import { type Logger, pino } from 'pino';
import type { Settings } from '../../config/settings.js';
import { LOG_WAITING_BYTES_MAX } from '../limits.js';

const STDOUT = 1;
/** Of the longest common name of a level. */
const LEVEL_LENGTH = 5;

/** Where the log cannot be written, because its disk is full or nobody reads it any more, play goes on all the same. */
export function createLog({ logLevel, log }: Pick<Settings, 'logLevel' | 'log'>): Logger {
  const lines = pino.destination({ dest: STDOUT, sync: true, maxLength: LOG_WAITING_BYTES_MAX });
  lines.on('error', () => {});
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  const isText = log === 'text' || (log === 'auto' && isatty(STDOUT));
  const write = (json: string): void => void lines.write(formatLogLine(json));
  return pino({ level: logLevel, base: null }, isText ? { write } : lines);
}

/** A line of pino's as text for people. */
export function formatLogLine(json: string): string {
  const { level, time, msg, ...fields } = JSON.parse(json) as { level: number; time: number; msg?: string };
  const name = (pino.levels.labels[level] ?? String(level)).padEnd(LEVEL_LENGTH);
  const values = Object.entries(fields).map(([key, value]) => `${key}=${formatValue(value)}`);
  const text = `${formatTime(time)} ${name}  ${msg ?? ''}`;
  return `${values.length === 0 ? text : `${text}  ${values.join(' ')}`}\n`;
}

/** In local time: whoever reads it sits beside a clock. */
function formatTime(time: number): string {
  const at = new Date(time);
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const clock = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  return `${date} ${clock}.${String(at.getMilliseconds()).padStart(3, '0')}`;
}

function formatValue(value: unknown): string {
  if (typeof value === 'string' && /^[^\s"={}[\]]+$/.test(value)) return value;
  if (isError(value)) return JSON.stringify(value.message);
  return JSON.stringify(value);
}

/** As pino writes one: the stack is for programs. */
function isError(value: unknown): value is { message: string } {
  return typeof value === 'object' && value !== null && 'stack' in value && 'message' in value;
}
