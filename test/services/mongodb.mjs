import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE_FOLDER, SOURCE_FOLDER } from './paths.mjs';
import { findTool, requireTool, runTool, spawnDetached } from './process.mjs';

/** Kept in step with ferretdb/go.mod, where the module and all below it are pinned by checksum. */
const FERRETDB_VERSION = '1.24.2';

/** Built once. One package at a time, so that a machine of two cores stays usable meanwhile. */
async function buildFerret(logFile) {
  const binary = join(CACHE_FOLDER, `ferretdb-${FERRETDB_VERSION}`);
  if (existsSync(binary)) return binary;
  const go = requireTool(['go'], 'Go 1.24 or newer; needed once, to build FerretDB; or install mongod');
  mkdirSync(CACHE_FOLDER, { recursive: true });
  const args = ['build', '-p', '1', '-mod=readonly', '-trimpath', '-buildvcs=false', '-o', `${binary}.partial`];
  await runTool(go, [...args, '.'], {
    logFile,
    cwd: join(SOURCE_FOLDER, 'ferretdb'),
    timeoutMs: 900000,
  });
  renameSync(`${binary}.partial`, binary);
  return binary;
}

export const mongodb = {
  name: 'mongodb',
  readyMs: 30000,
  async start({ folder, port, logFile }) {
    const data = join(folder, 'data');
    mkdirSync(data, { recursive: true });
    const env = { TESSERA_MONGODB: `mongodb://127.0.0.1:${port}/tessera?directConnection=true` };
    const mongod = findTool('mongod');
    if (mongod) {
      const args = ['--dbpath', data, '--port', String(port), '--bind_ip', '127.0.0.1', '--wiredTigerCacheSizeGB'];
      const pid = spawnDetached(mongod, [...args, '0.25'], { logFile, cwd: folder });
      return { pid, mark: data, version: 'mongod', env };
    }
    const ferret = await buildFerret(logFile);
    const pid = spawnDetached(ferret, [data, `127.0.0.1:${port}`], { logFile, cwd: folder });
    return { pid, mark: data, version: `FerretDB ${FERRETDB_VERSION}`, env };
  },
  // OP_MSG {ping: 1, $db: "admin"}: answered only when the backend is open.
  probe: {
    request: Buffer.from(
      '330000000100000000000000dd0700000000000000' +
        '1e0000001070696e6700010000000224646200060000' +
        '0061646d696e0000',
      'hex',
    ),
    expected: 'ok',
  },
};
