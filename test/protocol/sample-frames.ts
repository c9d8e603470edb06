import type { FrameParts, WelcomeInfo } from '../../src/protocol/fb/server-frame.js';
import { writeRecords } from './record-writer.js';
import { TOY_GAME, TOY_QUANTUM } from './toy-wire.js';

/** All numbers are exact as 32-bit floats, so that they compare after a trip over the wire. */
export const TOY_WELCOME: WelcomeInfo = {
  protocol: 1,
  game: TOY_GAME.game,
  clientId: 3,
  entityId: 40,
  tickHz: 60,
  updateHz: 30,
  worldWidth: 512,
  worldHeight: 256,
  quantum: TOY_QUANTUM,
  viewRadius: 24,
  leaveRadius: 26.5,
  kinds: TOY_GAME.kinds,
  fields: TOY_GAME.fields,
  commands: TOY_GAME.commands,
  token: 'ticket',
  resumed: true,
};

/** Everything that a frame can carry, at once. */
export const FULL_FRAME: FrameParts = {
  tick: 4000000000,
  ack: 17,
  full: true,
  entities: writeRecords(TOY_GAME.fields, [
    { id: 3, position: { form: 3, kind: 1, x: 1000, y: 2000 }, raw: new Map([[0, 9]]) },
    { id: 200, position: { form: 3, kind: 0, x: 70000, y: 5 } },
  ]),
  leaves: [1, 2, 4000000000],
  rejects: [
    { seq: 16, kind: 256, code: 8 },
    { seq: 17, kind: 65535, code: 3 },
  ],
  pong: { seq: 15, clientTime: 0xfedcba98 },
  welcome: TOY_WELCOME,
  notice: { code: 16, text: 'closing, come again – später' },
};
