// Limits of entities and their ids.

/** So long does an id rest that its 512 generations last for a day: 86,400 s / 512, and a bit. */
export const ID_REST_SECONDS = 170;
