// What tells a data folder from a copy of it: nothing that lies in the folder can, as a copy has it too. So a folder is
// named by where it is: the boot of its machine, the file system and inode, and when the inode was made. A folder that
// was moved within its file system is the same one; copied, restored, or after a reboot it is another, and a start
// waits for the lease of the last server to expire.

import { readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';

const BOOT_ID_FILE = '/proc/sys/kernel/random/boot_id';

/** A text that is the same for every process on this folder, and for no other folder. The folder must be there. */
export function identifyFolder(folder: string): string {
  const { dev, ino, birthtimeNs } = statSync(folder, { bigint: true });
  return `${readBootId()} ${dev}:${ino} ${birthtimeNs}`;
}

/** Of the kernel, so that containers of one machine agree; elsewhere the host's name has to do. */
function readBootId(): string {
  try {
    return readFileSync(BOOT_ID_FILE, 'utf8').trim();
  } catch {
    return hostname();
  }
}
