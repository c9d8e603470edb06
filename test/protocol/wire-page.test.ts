import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DEFAULTS } from '../../src/config/settings.js';
import { FRAME_BYTES_MAX } from '../../src/engine/replication/limits.js';
import { FIELD_LENGTH_MAX, TEXT_BYTES_MAX } from '../../src/game/limits.js';
import { RejectCode } from '../../src/game/reject-codes.js';
import { COMMAND_PAYLOAD_BYTES_MAX, NOTE_QUEUE_BYTES } from '../../src/memory/limits.js';
import { CloseCode } from '../../src/net/gateway/close-codes.js';
import { CLIENT_PINGS_PER_SECOND, MESSAGE_FRAGMENTS_MAX } from '../../src/net/limits.js';
import {
  CLIENT_MESSAGE_BYTES_MAX,
  KNOWN_ENTITIES_MAX,
  NAME_BYTES_MAX,
  NOTE_BYTES_MAX,
  TOKEN_BYTES_MAX,
  WIRE_FIELDS_MAX,
} from '../../src/protocol/limits.js';
import { SUBPROTOCOLS } from '../../src/protocol/subprotocols.js';
import { GOLDEN_FOLDER, readGoldenText } from './golden-messages.js';

const PAGE = readFileSync(join(GOLDEN_FOLDER, '..', 'WIRE.md'), 'utf8');

/** Without the spaces that align its tables. */
const WORDS = PAGE.replace(/ +/g, ' ');

function assertSays(text: string): void {
  assert.ok(WORDS.includes(text), `WIRE.md does not say: ${text}`);
}

test('the examples of the page are the golden bytes that they name', () => {
  const named = [...PAGE.matchAll(/`golden\/([\w-]+\.hex)`[^`]*```\n([^`]+)```/g)];
  assert.equal(named.length, 10);
  for (const [, path, hex] of named) assert.equal(hex, readGoldenText(path).replace(/^#.*\n/, ''), path);
  for (const name of ['frame-02-full', 'frame-03-steps', 'frame-06-reused-id', 'notes-02-told'])
    assertSays(readGoldenText(`${name}.jsonl`));
});

test('the limits of the page are those of the code', () => {
  const limits: [string, string][] = [
    ['message from a client', `${CLIENT_MESSAGE_BYTES_MAX} bytes`],
    ['fragments of one message', `${MESSAGE_FRAGMENTS_MAX}`],
    ['name', `${NAME_BYTES_MAX} bytes`],
    ['token', `${TOKEN_BYTES_MAX} bytes`],
    ['payload of a command', `${COMMAND_PAYLOAD_BYTES_MAX} bytes`],
    ['state frame', `${FRAME_BYTES_MAX} bytes`],
    ['entities in view', `${KNOWN_ENTITIES_MAX}`],
    ['replicated fields', `${WIRE_FIELDS_MAX}`],
    ['elements of an array', `${FIELD_LENGTH_MAX}`],
    ['bytes of a text', `${TEXT_BYTES_MAX}`],
    ['one note', `${NOTE_BYTES_MAX} bytes`],
    ['notes that wait for your next frame', `${NOTE_QUEUE_BYTES} bytes`],
    ['WebSocket pings from a client', `${CLIENT_PINGS_PER_SECOND} per second`],
    ['messages from a client', `${DEFAULTS.messagesPerSecond} per second, and as many at once`],
    ['commands of one client in one tick', `${DEFAULTS.commandsPerClientTick}`],
    ['state for a client', `${DEFAULTS.bytesPerSecond} bytes per second`],
    ['time to join', `${DEFAULTS.joinTimeoutMs} ms`],
    ['time without an answer to pings', `${DEFAULTS.idleTimeoutMs} ms`],
    ['time backed up', `${DEFAULTS.slowClientMs} ms`],
  ];
  for (const [limit, value] of limits) assertSays(`| ${limit} | ${value} |`);
});

test('the page has every reject code, close code and sub-protocol', () => {
  for (const [name, code] of Object.entries(RejectCode)) {
    if (typeof code === 'number' && code !== RejectCode.None) assertSays(`| ${code} | ${name} |`);
  }
  for (const code of Object.values(CloseCode))
    assert.match(WORDS, new RegExp(`^\\| (\\d+, )?${code}(, \\d+)? \\|`, 'm'));
  for (const { name } of SUBPROTOCOLS) assertSays(`\`${name}\``);
});
