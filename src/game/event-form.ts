/** Where an event goes, and what its numbers are called outside. */
export interface EventForm {
  /** Default 'player'. */
  topic?: 'player' | 'combat' | 'economy' | 'match';
  /** Names of the other entity and of the two values; what has no name is left out. */
  other?: string;
  a?: string;
  b?: string;
  /** What the two values are multiplied by on their way out: a game that states fractions as integers allocates nothing. */
  scale?: number;
  /** Low: goes first when there is no room for all events that wait for the log. */
  value?: 'low';
}
