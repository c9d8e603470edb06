import type { Scenario } from './scenario.js';

/** Run by name only: `npm run bench` without names leaves them out. */
export const SCENARIOS: Record<string, () => Promise<Scenario>> = {
  outage: async () => (await import('./durability/events/outage.js')).scenario,
  'event-path': async () => (await import('./durability/events/event-path.js')).scenario,
  floods: async () => (await import('./net/floods.js')).scenario,
  late: async () => (await import('./net/late.js')).scenario,
  idle: async () => (await import('./server/idle.js')).scenario,
  spool: async () => (await import('./durability/events/spool.js')).scenario,
};
