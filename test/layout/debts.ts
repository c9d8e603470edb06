// What older code still owes the rules of these tests. New code owes nothing, and the lists only shrink: a test fails when
// an entry is larger than what is left of it, and an entry at zero goes.

/** Files that import each other in a circle, one group each. */
export const KNOWN_CIRCLES: readonly string[] = [];

export const FOLDERS_WITHOUT_README: readonly string[] = [];

/** By file: lines with Atomics that do not say what they publish or acquire. */
export const BARE_ATOMICS: Readonly<Record<string, number>> = {};

/** By file: uses of the platform's clocks and chance. */
export const CLOCKS: Readonly<Record<string, number>> = {};

/** By file: limits that do not stand in a limits.ts. */
export const STRAY_LIMITS: Readonly<Record<string, number>> = {};
