// Counters of one zone, float64 each, in the header of its world buffer. Writer: the zone's tick thread. Readers: any
// thread at any time, without Atomics; a value that is a tick old is good enough. They only grow, except for gauges, which
// hold a last state.

export const COUNTERS = [
  'commandsApplied',
  'commandsRejected',
  'commandsForwarded',
  'commandsOverloaded',
  'commandsStale',
  'clientsJoined',
  'joinsRefused',
  'spawnsRefused',
  'entitiesArrived',
  'entitiesDeparted',
  'handoffFull',
  'mirrorsRefused',
  'framesWritten',
  'frameBytes',
  'framesSkippedRingFull',
  'framesSkippedCongested',
  'framesSkippedInFlight',
  'framesOverBudget',
  'entityUpdates',
  'entityEnters',
  'entityLeaves',
  'keepAlives',
  'visibleTruncated',
  'eventsEmitted',
  'eventsDropped',
  'journalLost',
  'clients',
  'mirrors',
  'cellLoads',
  'cellEvictions',
  'cellsLate',
  'cellQueueFull',
  'cellRoomShort',
  'cellsHeld',
  'cellsEvicting',
  'cellEntities',
  'cellQueue',
  'idsLost',
  'mirrorsTorn',
  'ordersGivenUp',
  'ordersHeldUp',
  'noticesHeldUp',
  'cellJoinsHurried',
  'farKindsRefused',
  'notesTold',
  'notesDropped',
  'notesRefused',
  'notesUnowned',
  'spectators',
  'postsPosted',
  'postsSent',
  'postsApplied',
  'postsUndelivered',
  'postsRefused',
  'postsLost',
  'notesUntold',
] as const;

export type CounterName = (typeof COUNTERS)[number];

/** More than there are, so that a new counter does not move the blocks behind them. */
export const COUNTER_COUNT = 256;

export const COUNTER = Object.fromEntries(COUNTERS.map((name, index) => [name, index])) as Record<CounterName, number>;
