#!/usr/bin/env node
// The command that copies a data folder, also while its server runs.

import { backUpFolder } from '../../durability/recovery/backup.js';
import { type Fail, failAs, readArguments } from './arguments.js';

const HELP = `tessera backup --to DIR [options], or npm run backup -- --to DIR [options]

Copies a data folder so that a server can start from the copy, also while its server runs.

  --data DIR    the data folder (default: data)
  --to DIR      where the copy goes: a folder that is empty or does not exist
  --help        this text

What a server keeps in Kafka, Redis or MongoDB is not in its data folder, and not in the copy.
`;
const MIB = 1024 * 1024;

const fail: Fail = failAs('backup', 1);

async function main(): Promise<void> {
  const { values } = readArguments(
    {
      options: {
        data: { type: 'string', default: 'data' },
        to: { type: 'string', default: '' },
        help: { type: 'boolean', default: false },
      },
    },
    fail,
  );
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
