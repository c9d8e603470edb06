// Limits of the settings themselves; what a setting may be stands in its row of setting-table.ts.

/** A shorter secret could be guessed offline from one token. */
export const SECRET_LENGTH_MIN = 16;
