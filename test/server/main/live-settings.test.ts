import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_SOURCE } from '../../../src/config/setting-lookup.js';
import { SETTING_NAMES } from '../../../src/config/setting-table.js';
import { DEFAULTS, type LoadedSettings, type SettingSources, type Settings } from '../../../src/config/settings.js';
import type { WorldPlan } from '../../../src/engine/plan/world-plan.js';
import { LiveLimits } from '../../../src/memory/tables/live-limits.js';
import { LiveSettings } from '../../../src/server/main/live-settings.js';

const SOURCES = Object.fromEntries(SETTING_NAMES.map((name) => [name, DEFAULT_SOURCE])) as SettingSources;

function stage(next: LoadedSettings) {
  const plan = { settings: { ...DEFAULTS }, limits: LiveLimits.create(DEFAULTS) } as WorldPlan;
  const adopted: string[] = [];
  const lines: string[] = [];
  const keep = (fields: object, line: string): void => void lines.push(`${line} ${JSON.stringify(fields)}`);
  const live = new LiveSettings({
    plan,
    source: { reread: () => next, setLogLevel: (level) => void adopted.push(`log ${level}`) },
    net: { adopt: ({ idleTimeoutMs }) => void adopted.push(`net ${idleTimeoutMs}`) },
    io: { adopt: ({ hotSnapshotMs }) => void adopted.push(`io ${hotSnapshotMs}`) },
    log: { debug: keep, info: keep, warn: keep, error: keep },
  });
  return { live, plan, adopted, lines };
}

function loaded(changes: Partial<Settings>): LoadedSettings {
  return { ok: true, settings: { ...DEFAULTS, ...changes }, sources: SOURCES };
}

test('what can change is taken to everyone who owns it, the rest waits for a restart', () => {
  const { live, plan, adopted, lines } = stage(
    loaded({
      idleTimeoutMs: 60000,
      hotSnapshotMs: 2000,
      logLevel: 'warn',
      commandsPerTick: 700,
      tickHz: 30,
      log: 'json',
    }),
  );
  const { errors, applied, restart } = live.reload();
  assert.deepEqual(errors, []);
  assert.deepEqual(applied.sort(), ['commandsPerTick', 'hotSnapshotMs', 'idleTimeoutMs', 'logLevel']);
  assert.deepEqual(restart.sort(), ['log', 'tickHz']);
  assert.deepEqual(adopted, ['net 60000', 'io 2000', 'log warn']);
  assert.deepEqual([plan.settings.commandsPerTick, plan.settings.tickHz], [700, DEFAULTS.tickHz]);
  assert.equal(new LiveLimits(plan.limits).commandsPerTick, 700);
  assert.match(lines.join(), /the settings were read again/);
});

test('where anything is wrong nothing is applied, and each complaint is logged', () => {
  const { live, plan, adopted, lines } = stage({ ok: false, errors: ['port is wrong', 'bots is wrong'] });
  assert.deepEqual(live.reload().errors, ['port is wrong', 'bots is wrong']);
  assert.deepEqual(adopted, []);
  assert.deepEqual(plan.settings, DEFAULTS);
  assert.equal(lines.length, 2);
  assert.match(lines[0], /none applied: port is wrong/);
});
