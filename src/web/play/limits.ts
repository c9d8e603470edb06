// Limits of the play page.

/** Rates in the panel are those of the last so many milliseconds. */
export const RATE_MS = 1000;
/** A wish is sent when it changes, and again this often, so that there is always a fresh round trip to show. */
export const WISH_REPEAT_MS = 500;
/** Added to the cooldown between shots, so that jitter on the way makes no shot come too early. */
export const SHOT_SLACK_MS = 20;
