import { closeSync, openSync } from 'node:fs';

/** What `look` finds in the file that is there now; undefined: there is none. */
export function lookIntoFile<T>(path: string, look: (file: number) => T): T | undefined {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return look(file);
  } finally {
    closeSync(file);
  }
}
