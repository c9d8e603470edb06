// What a client of the FlatBuffers sub-protocol says and hears, on top of the bare socket.

import { encodeJoin } from '../../src/protocol/fb/client-message.js';
import { CommandLayouts, encodeCommand } from '../../src/protocol/fb/command-layout.js';
import {
  openFrame,
  type RejectInfo,
  readRejects,
  readWelcome,
  type ServerFrame,
} from '../../src/protocol/fb/server-frame.js';
import { echoGame } from './echo-world.js';
import { RawClient } from './raw-client.js';
import { until } from './start-net.js';

export const layouts = new CommandLayouts(echoGame.commands);

export const GUEST = { name: 'guest', token: '', updateHz: 0 };

export function moveBytes(seq: number, x = 1, y = 2): Uint8Array {
  return encodeCommand(layouts.findByName('move')!, { x, y }, seq);
}

/** Connects and completes the handshake. */
export async function openClient(port: number, protocol = 'tessera.fb.1'): Promise<RawClient> {
  const client = new RawClient(port);
  await client.handshake(protocol);
  return client;
}

/** Connects, joins, and waits for the Welcome. */
/** The first ping may come with the Welcome, so who never answers one does not from the beginning. */
export async function joinClient(port: number, answersPings = true): Promise<RawClient> {
  const client = await openClient(port);
  client.answersPings = answersPings;
  client.sendFrame(encodeJoin(GUEST));
  await until('a Welcome', () => framesOf(client).some((frame) => readWelcome(frame) !== null));
  return client;
}

/** Messages as frames; one that is no frame fails the test. */
export function framesOf(client: RawClient): ServerFrame[] {
  return client.messages.map((message) => {
    const frame = openFrame(message);
    if (frame === null) throw new Error(`not a frame: ${message.toString('hex')}`);
    return frame;
  });
}

export function rejectsOf(client: RawClient): RejectInfo[] {
  return framesOf(client).flatMap(readRejects);
}

export async function rejected(client: RawClient, count = 1): Promise<RejectInfo[]> {
  await until(`${count} rejects`, () => rejectsOf(client).length >= count);
  return rejectsOf(client);
}
