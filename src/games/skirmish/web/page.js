// The page of skirmish: sends what keys and mouse say, draws what the server has sent.

import { describeCommands, Interpolator, TesseraClient } from '/client/tessera.js';

// As the game's: a client whose commands differ is refused when it joins.
const COMMANDS = {
  Move: { payload: { x: { type: 'i8' }, y: { type: 'i8' } } },
  Cast: { payload: { skill: { type: 'u8', max: 3 }, angle: { type: 'u16' } } },
  Take: { payload: {} },
  Use: { payload: { slot: { type: 'u8', max: 19 } } },
  Say: { payload: { text: { type: 'text', bytes: 120 }, team: { type: 'bool' } } },
};
const SKILLS = [
  { name: 'strike', cooldown: 0.6 },
  { name: 'bolt', cooldown: 1 },
  { name: 'blast', cooldown: 4 },
  { name: 'mend', cooldown: 5 },
];
const ITEMS = ['', '†', '⚔', '🪓', '🧪'];
const TEAM_COLORS = ['#9aa4ae', '#5aa9e6', '#f2735a'];
const KEYS = { KeyW: [0, -1], KeyS: [0, 1], KeyA: [-1, 0], KeyD: [1, 0] };
const SCALE = 22;
const FEED_LINES = 8;
/** As GameSource.ground of the game puts them. */
const WALLS = [
  [0.5, 0.2],
  [0.5, 0.8],
  [0.3, 0.5],
  [0.7, 0.5],
];

const element = (id) => document.getElementById(id);
const canvas = element('world');
const context = canvas.getContext('2d');
const held = new Set();
const pointer = { x: 0, y: 0 };
const used = [0, 0, 0, 0];
let client;
let interpolator = new Interpolator(60);
let hurts = [];
/** Of players that were in view at some time, by id. */
const names = new Map();

async function join(name) {
  client = new TesseraClient({
    url: `${location.origin.replace('http', 'ws')}/ws/game`,
    name,
    commands: describeCommands(COMMANDS),
    reconnect: {},
  });
  client.onWelcome = ({ tickHz }) => {
    interpolator = new Interpolator(tickHz);
    element('join').hidden = true;
  };
  client.onFrame = ({ tick, receivedMs, delta }) => interpolator.observe(tick, receivedMs, delta, client.entities);
  client.onClose = ({ reason, retryMs }) => {
    element('join').hidden = retryMs !== null;
    if (retryMs === null) element('message').textContent = `Ended: ${reason}.`;
  };
  client.onNote('said', ({ name: who, text }) => tell(`${who}: ${text}`));
  client.onNote('killed', ({ victim, killer }) => tell(`${nameOf(victim)} fell to ${nameOf(killer)}`, 'kill'));
  client.onNote('hurt', ({ who, damage }) => hurts.push({ who, damage, sinceMs: performance.now() }));
  client.onNote('result', ({ winner, first, second }) =>
    tell(winner === 0 ? `A draw, ${first} all` : `Team ${winner} wins ${first} : ${second}`, 'result'),
  );
  Object.assign(window, { client });
  await client.connect().catch((error) => {
    element('join').hidden = false;
    element('message').textContent = `Not joined: ${error.message}.`;
  });
}

function tell(text, kind = '') {
  const line = document.createElement('li');
  line.className = kind;
  line.textContent = text;
  element('feed').append(line);
  while (element('feed').children.length > FEED_LINES) element('feed').firstChild.remove();
}

const read = (entity, name) => entity.fields[client.fieldIndex(name)];

function nameOf(id) {
  const entity = client.entities.get(id);
  return names.get(id) ?? (entity ? kindOf(entity) : 'somebody');
}

const kindOf = ({ kind }) => client.welcome.kinds[kind];

function sendMove() {
  let [x, y] = [0, 0];
  for (const code of held) {
    x += KEYS[code][0];
    y += KEYS[code][1];
  }
  client?.send('Move', { x: Math.sign(x) * 127, y: Math.sign(y) * 127 });
}

function cast(skill) {
  if (!client?.self || performance.now() < used[skill]) return;
  const turn = Math.atan2(pointer.y - innerHeight / 2, pointer.x - innerWidth / 2) / (2 * Math.PI);
  client.send('Cast', { skill, angle: Math.round(turn * 65536) & 0xffff });
  used[skill] = performance.now() + SKILLS[skill].cooldown * 1000;
}

addEventListener('keydown', (event) => {
  const { code, repeat, target } = event;
  if (repeat || target.tagName === 'INPUT') return;
  if (code in KEYS) {
    held.add(code);
    sendMove();
  } else if (code.startsWith('Digit')) cast(Math.min(3, Math.max(0, Number(code[5]) - 1)));
  else if (code === 'KeyE') client?.send('Take', {});
  else if (code === 'Enter') {
    event.preventDefault(); // or the same key would send the line that is still empty
    element('line').focus();
  }
});
addEventListener('keyup', ({ code }) => {
  if (held.delete(code)) sendMove();
});
addEventListener('blur', () => {
  held.clear();
  sendMove();
});
addEventListener('pointermove', ({ clientX, clientY }) => Object.assign(pointer, { x: clientX, y: clientY }));
canvas.addEventListener('pointerdown', () => cast(1));
element('join').addEventListener('submit', (event) => {
  event.preventDefault();
  join(element('name').value.trim() || 'guest');
});
element('chat').addEventListener('submit', (event) => {
  event.preventDefault();
  const line = element('line');
  const isTeam = line.value.startsWith('/t ');
  const text = isTeam ? line.value.slice(3) : line.value;
  if (text.trim() !== '') client?.send('Say', { text, team: isTeam });
  line.value = '';
  line.blur();
});

const place = { x: 0, y: 0 };
function draw() {
  requestAnimationFrame(draw);
  const ratio = devicePixelRatio;
  canvas.width = innerWidth * ratio;
  canvas.height = innerHeight * ratio;
  context.setTransform(ratio, 0, 0, ratio, innerWidth * ratio * 0.5, innerHeight * ratio * 0.5);
  const nowMs = performance.now();
  if (client?.welcome == null) return;
  const eye = { x: 0, y: 0 };
  if (client.self) interpolator.place(client.self.id, nowMs, eye);
  context.scale(SCALE, SCALE);
  context.translate(-eye.x, -eye.y);
  drawGround();
  for (const entity of client.entities.values()) {
    if (kindOf(entity) === 'shared' || !interpolator.place(entity.id, nowMs, place)) continue;
    drawEntity(entity, place.x, place.y);
  }
  hurts = hurts.filter(({ sinceMs }) => nowMs - sinceMs < 800);
  for (const { who, damage, sinceMs } of hurts) {
    if (interpolator.place(who, nowMs, place))
      write(`${damage}`, place.x, place.y - 1 - (nowMs - sinceMs) / 600, '#ffd166', 0.7);
  }
  drawPanels(nowMs);
}

function drawGround() {
  const { worldWidth, worldHeight } = client.welcome;
  context.fillStyle = '#1b2128';
  context.fillRect(0, 0, worldWidth, worldHeight);
  context.strokeStyle = '#232b33';
  context.lineWidth = 0.05;
  for (let at = 0; at <= worldWidth; at += 8) context.strokeRect(at, 0, 0, worldHeight);
  for (let at = 0; at <= worldHeight; at += 8) context.strokeRect(0, at, worldWidth, 0);
  context.fillStyle = '#39434d';
  for (const [x, y] of WALLS) context.fillRect(worldWidth * x - 2, worldHeight * y - 5, 4, 10);
}

function drawEntity(entity, x, y) {
  const kind = kindOf(entity);
  const side = read(entity, 'side') ?? 0;
  const hp = read(entity, 'hp');
  context.fillStyle =
    kind === 'loot' ? '#f2b84b' : kind === 'bolt' ? '#fff' : kind === 'npc' ? '#8f6bd1' : TEAM_COLORS[side];
  context.globalAlpha = kind === 'player' && hp === 0 ? 0.3 : 1;
  context.beginPath();
  context.arc(x, y, kind === 'player' ? 0.5 : kind === 'npc' ? 0.45 : 0.2, 0, 7);
  context.fill();
  if (entity === client.self) ring(x, y, 0.62, '#fff');
  if (read(entity, 'burning')) ring(x, y, 0.7, '#ff7b39');
  if (read(entity, 'stunned')) ring(x, y, 0.8, '#ffe66b');
  if (read(entity, 'casting')) ring(x, y, 0.9, '#9ad1ff');
  context.globalAlpha = 1;
  if (kind !== 'player' && kind !== 'npc') return;
  context.fillStyle = '#0009';
  context.fillRect(x - 0.7, y - 0.95, 1.4, 0.14);
  context.fillStyle = '#5fbf5a';
  context.fillRect(x - 0.7, y - 0.95, (1.4 * hp) / (kind === 'npc' ? 30 : 100), 0.14);
  if (kind !== 'player') return;
  const name = read(entity, 'name') || 'guest';
  names.set(entity.id, name);
  write(name, x, y - 1.15, '#e6e9ec', 0.5);
}

function ring(x, y, radius, color) {
  context.strokeStyle = color;
  context.lineWidth = 0.08;
  context.beginPath();
  context.arc(x, y, radius, 0, 7);
  context.stroke();
}

function write(text, x, y, color, size) {
  context.fillStyle = color;
  context.font = `${size}px system-ui, sans-serif`;
  context.textAlign = 'center';
  context.fillText(text, x, y);
}

function drawPanels(nowMs) {
  const { shared, self } = client;
  if (shared) {
    const [one, two] = shared.scores;
    element('match').innerHTML =
      `<b class="one">${one}</b> : <b class="two">${two}</b> · ${shared.phase} · ${shared.secondsLeft} s`;
  }
  if (!self) return;
  element('hp').style.width = `${read(self, 'hp')}%`;
  element('mp').style.width = `${read(self, 'mp')}%`;
  for (const [i, item] of [...element('skills').children].entries()) {
    const left = Math.max(0, used[i] - nowMs) / (SKILLS[i].cooldown * 1000);
    item.firstElementChild.style.transform = `scaleY(${left})`;
  }
  const bag = read(self, 'bag') ?? [];
  for (const [slot, item] of [...element('bag').children].entries()) item.textContent = ITEMS[bag[slot]] ?? '';
  const inHand = ITEMS[read(self, 'item')] || 'bare hands';
  element('purse').textContent =
    `${read(self, 'gold')} gold · ${inHand} · ${read(self, 'kills')} kills, ${read(self, 'deaths')} deaths`;
}

for (const [i, { name }] of SKILLS.entries()) {
  const item = document.createElement('li');
  item.textContent = `${i + 1} ${name}`;
  item.append(document.createElement('i'));
  element('skills').append(item);
}
for (let slot = 0; slot < 20; slot++) {
  const item = document.createElement('li');
  item.addEventListener('click', () => client?.send('Use', { slot }));
  element('bag').append(item);
}
draw();
