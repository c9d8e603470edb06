// How a start treats the world that is there (--start).

/** `cold:TICK` goes back to the cold snapshots of this tick, or the newest ones before it. */
export type StartMode = 'auto' | 'resume' | 'salvage' | 'fresh' | `cold:${number}`;

export const START_PATTERN = /^(auto|resume|salvage|fresh|cold:\d{1,10})$/;
export const START_ALLOWED = 'auto, resume, salvage, fresh, or cold:TICK with a tick that npm run worlds lists';

/** Undefined: the newest state is wanted. */
export function chosenColdTick(start: StartMode): number | undefined {
  return start.startsWith('cold:') ? Number(start.slice('cold:'.length)) : undefined;
}
