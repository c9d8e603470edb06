// What a server says about itself at /healthz and /metrics, and what lies between two such answers.

export interface HealthZone {
  id: number;
  tick: number;
  hash: string | number;
  entities: number;
  /** Where the zone lies, if the server tells. */
  area?: { x: number; y: number; width: number; height: number };
}

export interface Health {
  zones: HealthZone[];
  clients: number;
  uptimeMs: number;
}

export interface MetricSample {
  labels: Record<string, string>;
  value: number;
}

export type Metrics = Map<string, MetricSample[]>;

export interface ServerReading {
  health: Health;
  metrics: Metrics;
}

export interface TickFigures {
  p50: number | null;
  p99: number | null;
  max: number | null;
}

const TICK_HISTOGRAM = 'tessera_tick_ms';
const REQUEST_TIMEOUT_MS = 5000;
/** Names of counters, or of their reasons, that say that something was dropped, refused, missed or replaced. */
const TROUBLE = /drop|reject|refus|skip|overrun|over_budget|overload|stale|congest|full|truncat|restart/i;

/** Reads the text format of Prometheus. */
export function parseMetrics(text: string): Metrics {
  const metrics: Metrics = new Map();
  for (const line of text.split('\n')) {
    const match = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?\s+(\S+)/.exec(line);
    if (match === null || line.startsWith('#')) continue;
    const labels: Record<string, string> = {};
    for (const [, name = '', value = ''] of (match[2] ?? '').matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)) {
      labels[name] = value;
    }
    const value = match[3] === '+Inf' ? Number.POSITIVE_INFINITY : Number(match[3]);
    const samples = metrics.get(match[1]) ?? [];
    samples.push({ labels, value });
    metrics.set(match[1], samples);
  }
  return metrics;
}

export async function readServer(base: string): Promise<ServerReading> {
  const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
  const health = (await (await fetch(`${base}/healthz`, { signal })).json()) as Health;
  const metrics = parseMetrics(await (await fetch(`${base}/metrics`, { signal })).text());
  return { health, metrics };
}

/** Sum of a counter over the series with these labels; null when the server does not have it. */
function sumOf(metrics: Metrics, name: string, labels: Record<string, string>): number | null {
  const samples = metrics.get(name);
  if (samples === undefined) return null;
  const chosen = samples.filter((sample) => Object.keys(labels).every((key) => sample.labels[key] === labels[key]));
  return chosen.reduce((sum, sample) => sum + sample.value, 0);
}

/** How much a counter has grown; null when the server does not have it. */
export function growthOf(begin: Metrics, end: Metrics, name: string, labels: Record<string, string>): number | null {
  const after = sumOf(end, name, labels);
  return after === null ? null : after - (sumOf(begin, name, labels) ?? 0);
}

/** Ticks per second of the slowest zone, by the server's own clock. */
export function achievedTickHz(begin: Health, end: Health): number | null {
  const seconds = (end.uptimeMs - begin.uptimeMs) / 1000;
  const before = new Map(begin.zones.map((zone) => [zone.id, zone.tick]));
  const rates = end.zones.map((zone) => (zone.tick - (before.get(zone.id) ?? zone.tick)) / seconds);
  return seconds > 0 && rates.length > 0 ? Math.min(...rates) : null;
}

/** Ticks between two readings by upper bucket edge, of all threads together, cumulative as Prometheus has them. */
export function bucketGrowth(begin: Metrics, end: Metrics): [number, number][] {
  const growth = new Map<number, number>();
  for (const [metrics, sign] of [[end, 1] as const, [begin, -1] as const]) {
    for (const sample of metrics.get(`${TICK_HISTOGRAM}_bucket`) ?? []) {
      const edge = sample.labels.le === '+Inf' ? Number.POSITIVE_INFINITY : Number(sample.labels.le);
      growth.set(edge, (growth.get(edge) ?? 0) + sign * sample.value);
    }
  }
  return [...growth].sort((a, b) => a[0] - b[0]);
}

/** The upper edge of the bucket in which the share `p` is reached: never better than the truth. */
function percentileOf(buckets: readonly [number, number][], p: number): number | null {
  const total = buckets.at(-1)?.[1] ?? 0;
  if (total <= 0) return null;
  const rank = Math.max(1, Math.ceil(p * total));
  return buckets.find(([, cumulative]) => cumulative >= rank)![0];
}

/** The longest tick of the last seconds, of any thread. */
export function longestTickMs(metrics: Metrics): number | null {
  const samples = metrics.get(`${TICK_HISTOGRAM}_max`);
  return samples === undefined || samples.length === 0 ? null : Math.max(...samples.map((sample) => sample.value));
}

/**
 * Tick times between two readings, each the upper edge of its bucket. The server's own longest tick may lie before the
 * first reading, and the edge of the highest bucket above any tick: the smaller of the two is still no flattery.
 */
export function tickFigures(begin: Metrics, end: Metrics, polledMaxMs = 0): TickFigures {
  const buckets = bucketGrowth(begin, end);
  const longest = longestTickMs(end);
  const told = longest === null ? Number.POSITIVE_INFINITY : Math.max(longest, polledMaxMs);
  const capped = (p: number): number | null => {
    const edge = percentileOf(buckets, p);
    return edge === null ? null : Math.min(edge, told);
  };
  return { p50: capped(0.5), p99: capped(0.99), max: capped(1) };
}

/** Counters that say that something was dropped, refused or missed, and grew; keyed by name and labels. */
export function dropsBetween(begin: Metrics, end: Metrics): Record<string, number> {
  const drops: Record<string, number> = {};
  for (const [name, samples] of end) {
    if (!name.endsWith('_total')) continue;
    for (const sample of samples) {
      const reason = sample.labels.reason ?? sample.labels.what ?? sample.labels.code ?? '';
      const key = name.replace(/^tessera_|_total$/g, '') + (reason === '' ? '' : `:${reason}`);
      if (!TROUBLE.test(key)) continue;
      const before = (begin.get(name) ?? []).find((old) => sameLabels(old.labels, sample.labels));
      const growth = sample.value - (before?.value ?? 0);
      if (growth > 0) drops[key] = (drops[key] ?? 0) + growth;
    }
  }
  return drops;
}

function sameLabels(a: Record<string, string>, b: Record<string, string>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
