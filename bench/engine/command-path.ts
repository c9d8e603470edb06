// A command from the check of its bytes to the columns of its zone: main's side and the zone's side, without a socket.

import { RejectCode } from '../../src/game/reject-codes.js';
import { checkClientMessage } from '../../src/protocol/fb/client-message.js';
import { type BenchModule, measureCases } from '../bench.js';
import { HeadlessWorld } from './headless-world.js';

const CLIENTS = 500;

export const bench: BenchModule = {
  name: 'command-path',
  summary: 'commands: form check, into the ring, out of it and applied',
  run(options) {
    const world = new HeadlessWorld({ clientsMax: CLIENTS, commandsPerTick: CLIENTS, seed: options.seed });
    world.joinAll(CLIENTS);
    world.runTick();
    world.deliver();
    const message = Uint8Array.of(0, 1, 0, 0, 1, 0, 0, 0, 100, 27, 0, 0);
    const view = new DataView(message.buffer);
    const { layouts } = world.description;
    const [{ intake, zone }] = world.hosts;
    let angle = 0;
    return measureCases(
      [
        {
          name: 'check the form of a command',
          unitsPerCall: 1000,
          call: () => {
            let refused = 0;
            for (let i = 0; i < 1000; i++) {
              message[8] = i & 127;
              if (checkClientMessage(layouts, view, 0, message.length) !== RejectCode.None) refused++;
            }
            if (refused > 0) throw new Error('the commands of this bench are well formed');
            return view.getInt32(8, true);
          },
        },
        {
          name: 'ring and apply a command',
          unitsPerCall: CLIENTS,
          prepare: () => {
            zone.tick = ++world.tick;
          },
          call: () => {
            angle = (angle + 1) & 63;
            for (let client = 0; client < CLIENTS; client++) world.sendMove(client, angle, -angle);
            intake.drain();
            return (zone.columns.intentX as Int8Array)[zone.rowLimit - 1];
          },
        },
      ],
      options,
    );
  },
};
