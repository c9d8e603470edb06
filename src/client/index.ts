// What a page or a bot imports: `tessera/client`, and `/client/tessera.js` of every server.

export { type CommandForm, describeCommands } from '../game/describe-commands.js';
export type { PayloadSource } from '../game/payload.js';
export { RejectCode, rejectReason } from '../game/reject-codes.js';
export type { Watch } from '../protocol/fb/client-message.js';
export type { CommandPayload, DescribedCommand } from '../protocol/fb/command-layout.js';
export type { EntityState, EntityUpdate, FrameDelta } from '../protocol/fb/entity-decoder.js';
export type { NoteMessage } from '../protocol/fb/note-reader.js';
export type { FieldForm, NoticeInfo, RejectInfo, WelcomeInfo } from '../protocol/fb/server-frame.js';
export type { ReconnectOptions } from './backoff.js';
export {
  type ClientState,
  type Ending,
  type FrameInfo,
  type NoteData,
  type NoteHandler,
  TesseraClient,
  type Traffic,
} from './client.js';
export type { ClientOptions } from './client-options.js';
export { Interpolator, type Place } from './interpolation.js';
export type { CloseInfo, Socket, SocketClass } from './socket.js';
