// Counters of one zone: float64, written by its tick thread only, read by anyone at any time. They only grow, but for
// gauges (last state). A reader may see one a tick old; that is what a counter is for.

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
  'ghostsRefused',
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
  'ghosts',
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
] as const;

export type CounterName = (typeof COUNTERS)[number];

/** Room for more without moving what lies behind. */
export const COUNTER_COUNT = 256;

export const COUNTER = Object.fromEntries(COUNTERS.map((name, index) => [name, index])) as Record<CounterName, number>;
