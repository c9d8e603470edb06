// The page: joins, sends what the keys say, and draws what the server has sent.

import { describeCommands, Interpolator, TesseraClient } from '/client/tessera.js';
import { COMMANDS } from './commands.js';

const PLAYER = 'player';
const COIN = 'coin';
const GRID = 8;
/** @type {Record<string, [number, number]>} */
const KEYS = {
  KeyW: [0, -1],
  KeyS: [0, 1],
  KeyA: [-1, 0],
  KeyD: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
};

const canvas = /** @type {HTMLCanvasElement} */ (document.getElementById('world'));
const form = /** @type {HTMLFormElement} */ (document.getElementById('join'));
const nameField = /** @type {HTMLInputElement} */ (document.getElementById('name'));
const message = /** @type {HTMLElement} */ (document.getElementById('message'));
const list = /** @type {HTMLElement} */ (document.getElementById('list'));
const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));

/** @type {TesseraClient | undefined} */
let client;
let interpolator = new Interpolator(60);
/** @type {Set<string>} */
const held = new Set();
const camera = { x: 0, y: 0 };
const place = { x: 0, y: 0 };

/** @param {string} name */
async function join(name) {
  const made = new TesseraClient({
    url: `${location.origin.replace('http', 'ws')}/ws/game`,
    name,
    commands: describeCommands(COMMANDS),
    reconnect: {},
  });
  made.onWelcome = ({ tickHz }) => {
    interpolator = new Interpolator(tickHz);
    form.hidden = true;
    sendWalk();
  };
  made.onFrame = ({ tick, receivedMs, delta }) => interpolator.observe(tick, receivedMs, delta, made.entities);
  made.onClose = ({ reason, retryMs }) => {
    form.hidden = false;
    message.textContent =
      retryMs === null ? `Ended: ${reason || 'no connection'}.` : 'The server is away; trying again.';
  };
  client?.close();
  client = made;
  // For the console, and for tests.
  Object.assign(window, { client });
  try {
    await made.connect();
  } catch (error) {
    form.hidden = false;
    message.textContent = `Not joined: ${error instanceof Error ? error.message : error}.`;
  }
}

function sendWalk() {
  let [x, y] = [0, 0];
  for (const code of held) {
    x += KEYS[code][0];
    y += KEYS[code][1];
  }
  client?.send('Walk', { x: Math.sign(x), y: Math.sign(y) });
}

/**
 * The value of a field of one number by its name; the Welcome says in which order they come.
 * @param {import('/client/tessera.js').EntityState} entity
 * @param {string} name
 */
function field(entity, name) {
  const index = client?.welcome?.fields.findIndex((candidate) => candidate.name === name) ?? -1;
  return Number(entity.fields[index] ?? 0);
}

/** @param {import('/client/tessera.js').EntityState} entity */
function kindOf(entity) {
  return client?.welcome?.kinds[entity.kind];
}

/** @param {number} id */
function colourOf(id) {
  return id === client?.entityId ? '#58d68d' : `hsl(${(id * 137) % 360} 65% 60%)`;
}

/** @param {import('/client/tessera.js').EntityState} entity */
function locate(entity) {
  if (!interpolator.place(entity.id, performance.now(), place)) Object.assign(place, { x: entity.x, y: entity.y });
  return place;
}

function draw() {
  requestAnimationFrame(draw);
  const scale = devicePixelRatio;
  const { clientWidth, clientHeight } = canvas;
  if (canvas.width !== clientWidth * scale || canvas.height !== clientHeight * scale) {
    canvas.width = clientWidth * scale;
    canvas.height = clientHeight * scale;
  }
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  if (!client?.welcome) return;
  const { viewRadius, worldWidth, worldHeight } = client.welcome;
  if (client.self) Object.assign(camera, locate(client.self));
  const unit = (Math.min(clientWidth, clientHeight) * scale) / (2 * viewRadius);
  context.setTransform(unit, 0, 0, unit, canvas.width / 2 - camera.x * unit, canvas.height / 2 - camera.y * unit);
  drawGround(worldWidth, worldHeight);
  const entities = [...client.entities.values()];
  for (const entity of entities) if (kindOf(entity) === COIN) drawDisc(entity, 0.4, '#e3c04f');
  for (const entity of entities) {
    if (kindOf(entity) !== PLAYER) continue;
    if (field(entity, 'dashLeft') > 0) drawDisc(entity, 1.3, '#ffffff30');
    drawDisc(entity, 0.8, colourOf(entity.id));
  }
}

/**
 * @param {number} width
 * @param {number} height
 */
function drawGround(width, height) {
  context.fillStyle = '#161b22';
  context.fillRect(0, 0, width, height);
  context.beginPath();
  for (let x = 0; x <= width; x += GRID) {
    context.moveTo(x, 0);
    context.lineTo(x, height);
  }
  for (let y = 0; y <= height; y += GRID) {
    context.moveTo(0, y);
    context.lineTo(width, y);
  }
  context.lineWidth = 0.05;
  context.strokeStyle = '#30363d';
  context.stroke();
}

/**
 * @param {import('/client/tessera.js').EntityState} entity
 * @param {number} radius
 * @param {string} colour
 */
function drawDisc(entity, radius, colour) {
  const { x, y } = locate(entity);
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = colour;
  context.fill();
}

function showScores() {
  const players = [...(client?.entities.values() ?? [])].filter((entity) => kindOf(entity) === PLAYER);
  players.sort((a, b) => field(b, 'score') - field(a, 'score'));
  const lines = players.slice(0, 10).map((player) => {
    const line = document.createElement('li');
    const [who, score] = [document.createElement('span'), document.createElement('span')];
    who.textContent = player.id === client?.entityId ? 'you' : `player ${player.id}`;
    who.style.color = colourOf(player.id);
    score.textContent = String(field(player, 'score'));
    line.append(who, score);
    return line;
  });
  list.replaceChildren(...lines);
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  nameField.blur();
  message.textContent = 'Joining ...';
  join(nameField.value || 'guest');
});
addEventListener('keydown', (event) => {
  if (!form.hidden || event.repeat) return;
  if (event.code === 'Space') client?.send('Dash', {});
  if (!(event.code in KEYS)) return;
  held.add(event.code);
  sendWalk();
});
addEventListener('keyup', (event) => {
  if (held.delete(event.code)) sendWalk();
});
addEventListener('blur', () => {
  held.clear();
  sendWalk();
});

const wanted = new URLSearchParams(location.search).get('name');
if (wanted) join(wanted);
setInterval(showScores, 250);
draw();
