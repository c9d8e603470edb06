// What every check of a game's parts is made of: how a mistake is said, and what names, objects and numbers may be.

import { WIRE_NAME_BYTES_MAX } from '../../protocol/limits.js';

export type Loose = Readonly<Record<string, unknown>>;
/** `part` `what`; allowed: `allowed`. */
export type Say = (part: string, what: string, allowed: string) => void;

/** What a name may consist of: it becomes a key of plain objects, a column, a label of a metric. */
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

export const NAME_RULE = `letters, digits and _, not beginning with a digit, at most ${WIRE_NAME_BYTES_MAX}`;

export function checkNames(part: string, value: unknown, least: number, most: number, say: Say): string[] {
  if (!Array.isArray(value) || value.length < least || value.length > most) {
    say(part, `is ${show(value)}`, `a list of ${least} to ${most} names`);
    return [];
  }
  value.forEach((name, index) => {
    if (!isName(name)) say(`${part}[${index}]`, `is ${show(name)}`, NAME_RULE);
    else if (value.indexOf(name) !== index) say(`${part}[${index}]`, `is '${name}' again`, 'each name once');
  });
  return value.filter((name) => typeof name === 'string');
}

export function checkKeys(part: string, object: Loose, allowed: readonly string[], say: Say): void {
  for (const key of Object.keys(object)) {
    if (!allowed.includes(key)) say(part, `has '${key}', which means nothing${hint(key, allowed)}`, allowed.join(', '));
  }
}

export function checkOneOf(part: string, value: unknown, allowed: readonly string[], say: Say): boolean {
  if (allowed.includes(value as string)) return true;
  say(part, `is ${show(value)}`, allowed.join(', '));
  return false;
}

export function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length <= WIRE_NAME_BYTES_MAX && NAME.test(value);
}

export function isWhole(value: unknown, least: number, most: number): boolean {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
}

export function isWithin(value: unknown, most: number): value is number {
  return typeof value === 'number' && Math.abs(value) <= most;
}

export function isObject(value: unknown): value is Loose {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function show(value: unknown): string {
  if (value === undefined) return 'missing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  if (isObject(value)) return 'an object';
  if (typeof value === 'function') return 'a function';
  return typeof value === 'string' ? `'${value}'` : String(value);
}

/** The name that was probably meant. */
export function hint(name: unknown, names: readonly string[]): string {
  if (typeof name !== 'string') return '';
  const near = names.find(
    (candidate) =>
      candidate.toLowerCase() === name.toLowerCase() || (name.length > 2 && isOneEditApart(candidate, name)),
  );
  return near === undefined ? '' : ` (did you mean ${near}?)`;
}

function isOneEditApart(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false;
  let start = 0;
  while (start < a.length && a[start] === b[start]) start++;
  const [restA, restB] = [a.slice(start), b.slice(start)];
  return restA.slice(1) === restB.slice(1) || restA === restB.slice(1) || restA.slice(1) === restB;
}
