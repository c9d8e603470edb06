// What the commands beside the server have in common: how they read their arguments, and how they refuse.

import { type ParseArgsConfig, parseArgs } from 'node:util';

export type Fail = (text: string) => never;

/** Ends the process with a line that names the command. */
export function failAs(command: string, exitCode: number): Fail {
  return (text) => {
    process.stderr.write(`${command}: ${text}\n`);
    process.exit(exitCode);
  };
}

export function readArguments<T extends ParseArgsConfig>(config: T, fail: Fail): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    return fail(`${(error as Error).message}; --help says what there is`);
  }
}
