// What a run has to say to a person: a failure with the way to see it again, and what happened in many runs.

import { FAULT_NAMES } from './faults.js';
import type { SimulationOptions, SimulationResult } from './simulation.js';

export const TICKS = 300;

function commandFor({ seed, ticks, faults }: SimulationOptions): string {
  return [
    `npm run simulate -- --seed ${seed}`,
    ...(ticks === TICKS ? [] : [`--ticks ${ticks}`]),
    ...(faults === undefined ? [] : [`--faults ${faults.length === 0 ? 'none' : faults.join(',')}`]),
    '--trace',
  ].join(' ');
}

export function describeFailure(
  { seed, violation, last, enabled }: SimulationResult,
  options: SimulationOptions,
): string {
  return [
    ...last.map((line) => `  ${line}`),
    `seed ${seed} failed at tick ${violation?.tick}: ${violation?.message}`,
    `faults of this seed: ${enabled.join(', ') || 'none'}`,
    `again with: ${commandFor(options)}`,
  ].join('\n');
}

/** Of many runs: which faults were chosen, how often each happened, and what came of them. */
export class Tally {
  private readonly happened = new Map<string, number>();
  private readonly chosen = new Map<string, number>();
  private readonly failed = new Map<string, number[]>();
  runs = 0;

  add({ seed, counts, enabled, violation }: SimulationResult): void {
    this.runs++;
    for (const [name, count] of counts) this.happened.set(name, (this.happened.get(name) ?? 0) + count);
    for (const name of enabled) this.chosen.set(name, (this.chosen.get(name) ?? 0) + 1);
    if (violation === undefined) return;
    const seeds = this.failed.get(violation.invariant) ?? [];
    this.failed.set(violation.invariant, [...seeds, seed]);
  }

  get hasFailed(): boolean {
    return this.failed.size > 0;
  }

  describe(): string {
    const line = (name: string, runs: string, count: string): string =>
      `${name.padEnd(52)}${runs.padStart(8)}${count.padStart(12)}`;
    const count = (name: string): string => `${this.happened.get(name) ?? 0}`;
    const faults = FAULT_NAMES.filter((name) => this.chosen.has(name));
    const outcomes = [...this.happened.keys()].filter((name) => name.startsWith('(')).sort();
    const never = faults.filter((name) => !this.happened.has(name));
    return [
      ...(faults.length === 0 ? [] : [line('fault', 'seeds', 'happened')]),
      ...faults.map((name) => line(name, `${this.chosen.get(name)}`, count(name))),
      line('what came of it', '', ''),
      ...outcomes.map((name) => line(name.slice(1, -1), '', count(name))),
      ...(never.length === 0 ? [] : [`chosen, and never happened: ${never.join(', ')}`]),
      ...[...this.failed].map(([invariant, seeds]) => `broken: ${invariant}: seeds ${seeds.join(' ')}`),
    ].join('\n');
  }
}
