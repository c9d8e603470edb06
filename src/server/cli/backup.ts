#!/usr/bin/env node
// The command that copies a data folder, also while its server runs.

import { parseArgs } from 'node:util';
import { backUpFolder } from '../../durability/recovery/backup.js';

const HELP = `npm run backup -- --to DIR [options]

Copies a data folder so that a server can start from the copy, also while its server runs.

  --data DIR    the data folder (default: data)
  --to DIR      where the copy goes: a folder that is empty or does not exist
  --help        this text

What a server keeps in Kafka, Redis or MongoDB is not in its data folder, and not in the copy.
`;
const MIB = 1024 * 1024;

function fail(text: string): never {
  process.stderr.write(`backup: ${text}\n`);
  process.exit(1);
}

function parse() {
  return parseArgs({
    options: {
      data: { type: 'string', default: 'data' },
      to: { type: 'string', default: '' },
      help: { type: 'boolean', default: false },
    },
  }).values;
}

async function main(): Promise<void> {
  let values: ReturnType<typeof parse>;
  try {
    values = parse();
  } catch (error) {
    fail(`${(error as Error).message}; --help says what there is`);
  }
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const { data, to } = values;
  if (to === '') fail('--to is missing: the folder that the copy goes to');
  const { files, bytes } = await backUpFolder(data, to);
  process.stdout.write(`${to}: ${files} files, ${(bytes / MIB).toFixed(1)} MiB; start from it with --data ${to}\n`);
}

await main().catch((error: Error) => fail(error.message));
