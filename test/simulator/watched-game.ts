// A game whose systems can be halted, so that a world comes to rest, and that tells of every command it applies.

import type { EngineZone } from '../../src/engine/zone/zone.js';
import type { GameDefinition } from '../../src/game/definition.js';
import { COMMAND_PAYLOAD, COMMAND_SEQ } from '../../src/memory/records/thread-records.js';

export interface GameWatch {
  isHalted(zone: EngineZone): boolean;
  applied(zone: EngineZone, row: number, seq: number): void;
}

export function watchGame(game: GameDefinition, watch: GameWatch): GameDefinition {
  return {
    ...game,
    commands: game.commands.map((command) => ({
      ...command,
      apply(zone, row, view, offset) {
        const code = command.apply(zone, row, view, offset);
        const seq = view.getUint32(offset - COMMAND_PAYLOAD + COMMAND_SEQ, true);
        if (code === 0) watch.applied(zone as EngineZone, row, seq);
        return code;
      },
    })),
    systems: game.systems.map((system) => ({
      ...system,
      run(zone) {
        if (!watch.isHalted(zone as EngineZone)) system.run(zone);
      },
    })),
  };
}
