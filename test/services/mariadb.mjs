import { existsSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { requireTool, runTool, spawnDetached } from './process.mjs';

const HINT = 'Debian: apt-get install mariadb-server';

/** Runs at every start, so it says nothing that a second run would refuse. */
const SETUP = `CREATE DATABASE IF NOT EXISTS tessera;
CREATE USER IF NOT EXISTS 'tessera'@'127.0.0.1' IDENTIFIED BY 'tessera';
GRANT ALL ON *.* TO 'tessera'@'127.0.0.1';
`;

export const mariadb = {
  name: 'mariadb',
  readyMs: 30000,
  async start({ folder, port, logFile }) {
    const server = requireTool(['mariadbd', 'mysqld'], HINT);
    const user = userInfo().username;
    const data = join(folder, 'data');
    if (!existsSync(data)) {
      const install = requireTool(['mariadb-install-db', 'mysql_install_db'], HINT);
      const args = ['--no-defaults', `--datadir=${data}`, `--user=${user}`, '--auth-root-authentication-method=normal'];
      await runTool(install, [...args, '--skip-test-db'], { logFile, cwd: folder, timeoutMs: 60000 });
    }
    const setup = join(folder, 'setup.sql');
    writeFileSync(setup, SETUP);
    const pid = spawnDetached(
      server,
      [
        '--no-defaults',
        `--datadir=${data}`,
        `--user=${user}`,
        `--port=${port}`,
        '--bind-address=127.0.0.1',
        '--skip-name-resolve',
        `--socket=${join(folder, 's.sock')}`,
        `--pid-file=${join(folder, 'pid')}`,
        `--init-file=${setup}`,
        '--innodb-buffer-pool-size=64M',
        '--performance-schema=OFF',
      ],
      { logFile, cwd: folder },
    );
    return { pid, mark: data, env: { TESTS_MARIADB: `mysql://tessera:tessera@127.0.0.1:${port}/tessera` } };
  },
  // The server speaks first: its greeting names the authentication plugin.
  probe: { request: '', expected: 'mysql_native_password' },
};
