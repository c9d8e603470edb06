// What players may send. The game and the page both read this, so that they cannot differ.

export const COMMANDS = /** @type {const} */ ({
  /** Where to: -1, 0 or 1 on each axis. */
  Walk: { payload: { x: { type: 'i8', min: -1, max: 1 }, y: { type: 'i8', min: -1, max: 1 } } },
  /** A short burst of speed. */
  Dash: { payload: {} },
});
