// Who had an entity in a recovered world: their indexes and generations stay theirs, and their entities wait for them.

import type { Log } from '../../base/log.js';
import { engineColumnsOf } from '../../engine/entities/columns.js';
import type { WorldPlan } from '../../engine/plan/world-plan.js';
import { LIVE_BLOCK, WorldBuffer } from '../../memory/world/world-buffer.js';
import { SCALAR_ROW_LIMIT } from '../../memory/world/world-layout.js';
import type { ReservedClient } from '../../net/gateway/resumption.js';

export interface AbsentClient extends ReservedClient {
  zone: number;
}

export interface AbsentClients {
  waiting: AbsentClient[];
  /** The highest generation of any of them, also of those that cannot wait. */
  lastGeneration: number;
}

/**
 * Reads the live blocks, before any thread runs. Zones are stored one after the other, so an index may have two holders:
 * the later one has it. What no client is named for goes when the zones are told who is theirs.
 */
export function listAbsentClients(plan: WorldPlan, log: Log): AbsentClients {
  const { clientsMax, resumeMs } = plan.settings;
  const byClient = new Map<number, AbsentClient>();
  let lastGeneration = 0;
  let beyond = 0;
  for (const [zone, buffer] of plan.worlds.entries()) {
    const live = new WorldBuffer(buffer, plan.layout).blocks[LIVE_BLOCK];
    const { alive, owner, ownerGeneration, key } = engineColumnsOf(live);
    for (let row = 0; row < live.scalars[SCALAR_ROW_LIMIT]; row++) {
      if (alive[row] === 0 || owner[row] === 0) continue;
      const found = { client: owner[row] - 1, generation: ownerGeneration[row], key: key[row], zone };
      lastGeneration = Math.max(lastGeneration, found.generation);
      if (found.client >= clientsMax) beyond++;
      else if ((byClient.get(found.client)?.generation ?? -1) < found.generation) byClient.set(found.client, found);
    }
  }
  if (beyond > 0) {
    log.warn({ clientsMax }, `${beyond} players of the recovered world are dropped: clientsMax is ${clientsMax} now`);
  }
  const waiting = resumeMs === 0 ? [] : [...byClient.values()];
  if (waiting.length > 0) {
    log.info({ resumeMs }, `${waiting.length} players of the recovered world wait ${resumeMs} ms for their clients`);
  }
  return { waiting, lastGeneration };
}
