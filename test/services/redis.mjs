import { requireTool, spawnDetached } from './process.mjs';

export const redis = {
  name: 'redis',
  readyMs: 10000,
  async start({ folder, port, logFile }) {
    const server = requireTool(['redis-server', 'valkey-server'], 'Debian: apt-get install redis-server');
    const pid = spawnDetached(
      server,
      [
        '--bind',
        '127.0.0.1',
        '--port',
        String(port),
        '--dir',
        folder,
        '--save',
        '',
        '--appendonly',
        'no',
        '--set-proc-title',
        'no',
      ],
      { logFile, cwd: folder },
    );
    return { pid, mark: folder, env: { TESSERA_REDIS: `redis://127.0.0.1:${port}` } };
  },
  probe: { request: 'PING\r\n', expected: '+PONG' },
};
