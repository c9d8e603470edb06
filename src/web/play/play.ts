// The play page: joins, draws, sends wishes, shows figures. Everything it knows comes from the client SDK.

import { nowMs } from '../../base/clock.js';
import { type Ending, TesseraClient } from '../../client/client.js';
import { Interpolator } from '../../client/interpolation.js';
import { ARENA_COMMANDS } from '../../games/arena/command-forms.js';
import { INTENT_MAX, SHOOT_COOLDOWN_SECONDS } from '../../games/arena/rules.js';
import { Controls } from './controls.js';
import { SHOT_SLACK_MS, WISH_REPEAT_MS } from './limits.js';
import { element, Panel } from './panel.js';
import { Scene } from './scene.js';
import { readWatched } from './watched.js';

const SHOOT_MS = SHOOT_COOLDOWN_SECONDS * 1000 + SHOT_SLACK_MS;

const canvas = element<HTMLCanvasElement>('world');
const form = element<HTMLFormElement>('join');
const nameField = element<HTMLInputElement>('name');
const smooth = element<HTMLInputElement>('smooth');
const enterButton = element<HTMLButtonElement>('enter');
const leaveButton = element<HTMLButtonElement>('leave');
const keysHint = element('keys');
const watched = readWatched(location.search);
const scene = new Scene(canvas, watched);
const panel = new Panel();
const controls = new Controls(canvas);

let client = makeClient('', '');
let interpolator: Interpolator | null = null;
let sentX = 0;
let sentY = 0;
let sentMs = 0;
let shotMs = 0;
/** Where space shoots while no pointer has been seen: the way last walked. */
let facing = 0;

function makeClient(name: string, token: string): TesseraClient {
  const secure = location.protocol === 'https:';
  const made = new TesseraClient({
    url: `${secure ? 'wss' : 'ws'}://${location.host}/ws/game`,
    name,
    token,
    commands: ARENA_COMMANDS,
    reconnect: {},
    ...(watched !== null && { watch: watched }),
  });
  made.onWelcome = ({ tickHz }) => {
    interpolator = new Interpolator(tickHz);
    sentX = 0;
    sentY = 0;
    showJoined();
  };
  made.onFrame = ({ tick, receivedMs, delta }) => interpolator?.observe(tick, receivedMs, delta, made.entities);
  made.onNotice = ({ text }) => say(text, true);
  made.onClose = (ending) => showLost(ending);
  // For tests and for looking around in the console.
  Object.assign(window, { tessera: made });
  return made;
}

function join(): void {
  client.close();
  const name = nameField.value.trim() || nameField.placeholder;
  client = makeClient(name, client.resumeToken);
  say('Connecting…', false);
  client.connect().catch((error: Error) => {
    if (client.state !== 'closed') return;
    enterButton.textContent = 'Reconnect';
    say(sentence(error.message), true);
  });
}

function showJoined(): void {
  form.hidden = true;
  leaveButton.hidden = false;
  keysHint.hidden = watched !== null;
  controls.enabled = watched === null;
  // Otherwise the next key would still go to the field or the button that was used to join.
  (document.activeElement as HTMLElement | null)?.blur();
}

function showForm(): void {
  form.hidden = false;
  leaveButton.hidden = true;
  keysHint.hidden = true;
  controls.enabled = false;
  controls.release();
}

function showLost({ reason, retryMs }: Ending): void {
  showForm();
  const what = reason === '' ? 'The server is away.' : `Disconnected: ${sentence(reason)}`;
  const then = retryMs === null ? '' : `Trying again in ${(retryMs / 1000).toFixed(1)}\u00a0s.`;
  enterButton.textContent = 'Reconnect';
  say(`${what} ${then}`, true);
}

function say(text: string, isProblem: boolean): void {
  const message = element('message');
  message.textContent = text;
  message.dataset.kind = isProblem ? 'problem' : 'news';
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function sendWishes(frameMs: number): void {
  const [x, y] = controls.direction;
  const changed = x !== sentX || y !== sentY;
  if (changed || frameMs - sentMs > WISH_REPEAT_MS) {
    client.send('Move', { x: x * INTENT_MAX, y: y * INTENT_MAX });
    sentX = x;
    sentY = y;
    sentMs = frameMs;
  }
  if (x !== 0 || y !== 0) facing = Math.round((Math.atan2(y, x) / (2 * Math.PI)) * 65536) & 0xffff;
  if (controls.isShooting && frameMs - shotMs > SHOOT_MS) {
    const { pointer } = controls;
    client.send('Shoot', { angle: pointer === null ? facing : scene.angleTo(pointer.x, pointer.y) });
    shotMs = frameMs;
  }
}

function animate(): void {
  const frameMs = nowMs();
  if (client.state === 'joined' && !client.isSpectator) sendWishes(frameMs);
  scene.draw(client, smooth.checked ? interpolator : null, frameMs);
  panel.show(client, frameMs);
  requestAnimationFrame(animate);
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  join();
});
leaveButton.addEventListener('click', () => {
  client.close();
  showForm();
  enterButton.textContent = 'Join';
  say('You have left.', false);
});
smooth.addEventListener('change', () => smooth.blur());

const wantedName = new URLSearchParams(location.search).get('name');
if (wantedName !== null || watched !== null) {
  nameField.value = (wantedName ?? 'spectator').slice(0, nameField.maxLength);
  join();
} else {
  nameField.focus();
}
animate();
