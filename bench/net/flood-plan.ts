// What the scenario and its thread of attackers tell each other.

export const FLOODS = ['none', 'busy', 'metrics', 'unread', 'text', 'leave'] as const;
export type Flood = (typeof FLOODS)[number];

export interface FloodPlan {
  flood: Flood;
  port: number;
}

/** What the attackers did; posted when the thread is told to stop. */
export interface FloodFigures {
  connects: number;
  mebibytesWritten: number;
}
