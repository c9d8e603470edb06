// Limits of messages from entity to entity.

/** Answers that the target is not there, before it counts as gone: each takes two ticks at most, so a second in all. */
export const POST_HOPS_MAX = 32;
/** Answers in one handoff record, whose body has 64 bytes at least. */
export const POST_ANSWERS_MAX = 7;
