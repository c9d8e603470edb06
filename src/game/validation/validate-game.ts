// Finds every mistake in a game at once, before anything starts: each in one line, which names the part, what it is, and
// what it may be. A game may come from plain JavaScript, so nothing of its shape is taken for granted.

import { COMMAND_PAYLOAD_BYTES_MAX, EVENT_TYPES_MAX, TEXT_COMMAND_PAYLOAD_BYTES_MAX } from '../../memory/limits.js';
import { COLUMN_BYTES } from '../../memory/world/column-types.js';
import { ENUM_NAMES_MAX, REPLICATED_FIELDS_MAX, WIRE_COMMANDS_MAX } from '../../protocol/limits.js';
import {
  COMMAND_KIND_MAX,
  COMMAND_KIND_MIN,
  COMMAND_RATE_MAX,
  COMMAND_RATE_MIN,
  FIELD_ELEMENTS_MAX,
  FIELD_LENGTH_MAX,
  GRANT_AMOUNT_MAX,
  RECORD_FIELD_BYTES_MAX,
  TEXT_BYTES_MAX,
} from '../limits.js';
import { formPayload, type PayloadSource, placeFields } from '../payload.js';
import { WIRE_TYPE_MAX, WIRE_TYPE_MIN, WIRE_TYPE_NAMES, WIRE_TYPES, type WireTypeName } from '../wire-types.js';
import {
  checkKeys,
  checkNames,
  checkOneOf,
  hint,
  isName,
  isObject,
  isWhole,
  isWithin,
  type Loose,
  NAME_RULE,
  type Say,
  show,
} from './checks.js';
import { ENGINE_FIELD_NAMES, ENGINE_MESSAGE_NAMES, PLAIN_ENTITY_KEYS, PLAIN_MESSAGE_KEYS } from './reserved-names.js';
import { checkComponents, checkKinds, sizeOf } from './validate-components.js';
import { checkMessages } from './validate-messages.js';
import { checkNotes } from './validate-notes.js';
import { checkShared } from './validate-shared.js';
import { checkSight } from './validate-sight.js';
import { checkTimers } from './validate-timers.js';

/** All that is wrong with a game. */
export class GameMistakes extends Error {
  constructor(readonly mistakes: readonly string[]) {
    super(mistakes.join('\n'));
    this.name = 'GameMistakes';
  }
}

const GAME_KEYS = [
  ...[
    'name',
    'version',
    'kinds',
    'persistentKinds',
    'fields',
    'components',
    'commands',
    'grants',
    'events',
    'eventForms',
    'systems',
  ],
  ...['visibility', 'seesAsSpectator', 'teams', 'seenFrom', 'timers', 'schedules', 'notes', 'shared', 'messages'],
  ...['onJoin', 'onLeave', 'onArrive', 'onRestore'],
  ...['spawnPlayer', 'ground', 'populate', 'applyEvent', 'restingKinds', 'populateCell', 'applyToCell', 'cellChanged'],
];
const FIELD_KEYS = ['type', 'oneOf', 'length', 'bytes', 'wire', 'persistent'];
const WIRE_KEYS = ['type', 'scale', 'offset', 'audience'];
const COMMAND_KEYS = ['payload', 'kind', 'ratePerSecond', 'apply'];
const PAYLOAD_KEYS = ['type', 'bytes', 'min', 'max', 'oneOf', 'reserved'];
const FORM_KEYS = ['topic', 'other', 'a', 'b', 'scale', 'value'];
const FIELD_TYPES = [...Object.keys(COLUMN_BYTES), 'bool', 'text', 'ref'];
/** Those whose form on the wire is their own. */
const SHAPED_TYPES = ['bool', 'text', 'ref'];
const AUDIENCES = ['view', 'team', 'owner'];
const TOPICS = ['player', 'combat', 'economy', 'match'];
const HOOKS = [
  ...['ground', 'populate', 'applyEvent', 'populateCell', 'applyToCell', 'cellChanged'],
  ...['onJoin', 'onLeave', 'onArrive', 'onRestore'],
];
export function findMistakes(game: unknown): string[] {
  const found: string[] = [];
  if (!isObject(game)) return [`a game is ${show(game)}; allowed: an object, see defineGame`];
  const say = (part: string, what: string, allowed: string): void =>
    void found.push(`${part} ${what}; allowed: ${allowed}`);
  checkKeys('the game', game, GAME_KEYS, say);
  checkHead(game, say);
  const kinds = checkKinds(game, say);
  checkSubset('persistentKinds', game.persistentKinds, kinds, say);
  checkSubset('restingKinds', game.restingKinds, kinds, say);
  checkFields('fields', game.fields, say);
  checkComponents(game, say, checkFields);
  checkShared(game, say, checkFields, checkSystems);
  checkMessages(game, say, checkPayload);
  checkSight(game, say);
  checkCommands(game.commands, say);
  checkNotes(game.notes, say);
  checkGrants(game.grants, say);
  const events = game.events === undefined ? [] : checkNames('events', game.events, 0, EVENT_TYPES_MAX, say);
  checkEventForms(game.eventForms, events, say);
  checkSystems('systems', game.systems, say);
  checkTimers(game, say);
  checkHooks(game, say);
  return found;
}

function checkHead({ name, version }: Loose, say: Say): void {
  if (!isName(name)) say('name', `is ${show(name)}`, NAME_RULE);
  if (!Number.isInteger(version) || (version as number) < 0) {
    say('version', `is ${show(version)}`, 'a whole number from 0 up; raise it when the rules change');
  }
}

function checkSubset(part: string, value: unknown, kinds: readonly string[], say: Say): void {
  if (value === undefined) return;
  if (!Array.isArray(value)) {
    say(part, `is ${show(value)}`, `a list of kinds: ${kinds.join(', ')}`);
    return;
  }
  for (const kind of value) {
    if (!kinds.includes(kind)) say(part, `names ${show(kind)}, which is no kind${hint(kind, kinds)}`, kinds.join(', '));
  }
}

function checkFields(path: string, fields: unknown, say: Say): void {
  if (fields === undefined) return;
  if (!isObject(fields)) {
    say(path, `is ${show(fields)}`, 'an object of fields by name');
    return;
  }
  for (const [name, field] of Object.entries(fields)) {
    const part = `${path}.${name}`;
    if (!isName(name)) say(part, 'has a name that cannot be used', NAME_RULE);
    if (ENGINE_FIELD_NAMES.includes(name)) {
      say(part, 'has the name of a column of the engine', `any name but ${ENGINE_FIELD_NAMES.join(', ')}`);
    }
    if (!isObject(field)) {
      say(part, `is ${show(field)}`, 'an object such as { type: "u8" }');
      continue;
    }
    checkKeys(part, field, FIELD_KEYS, say);
    if (checkOneOf(`${part}.type`, field.type, FIELD_TYPES, say)) checkShape(part, field, say);
    if (field.persistent !== undefined && typeof field.persistent !== 'boolean') {
      say(`${part}.persistent`, `is ${show(field.persistent)}`, 'true, false');
    }
    if (field.wire === undefined) continue;
    checkWire(part, name, field, say);
  }
  const { replicated, elements, wireBytes } = sizeOf(fields);
  if (replicated > REPLICATED_FIELDS_MAX) {
    say(path, `has ${replicated} fields with a wire form`, `at most ${REPLICATED_FIELDS_MAX}`);
  }
  if (elements > FIELD_ELEMENTS_MAX) say(path, `has ${elements} values per entity`, `at most ${FIELD_ELEMENTS_MAX}`);
  if (wireBytes > RECORD_FIELD_BYTES_MAX) {
    say(path, `has ${wireBytes} bytes with a wire form, at four a number`, `at most ${RECORD_FIELD_BYTES_MAX}`);
  }
}

/** What goes with the type of a field: a length, bytes, names of values. */
function checkShape(part: string, { type, length, bytes, oneOf }: Loose, say: Say): void {
  if (type === 'text') {
    if (!isWhole(bytes, 1, TEXT_BYTES_MAX)) {
      say(`${part}.bytes`, `is ${show(bytes)}`, `a whole number from 1 to ${TEXT_BYTES_MAX}`);
    }
    if (length !== undefined) say(`${part}.length`, 'stands beside type text', 'bytes');
  } else if (bytes !== undefined) {
    say(`${part}.bytes`, `stands beside type ${show(type)}`, 'type text');
  } else if (length !== undefined && !isWhole(length, 1, FIELD_LENGTH_MAX)) {
    say(`${part}.length`, `is ${show(length)}`, `a whole number from 1 to ${FIELD_LENGTH_MAX}`);
  }
  if (oneOf === undefined) return;
  if (type !== 'u8') say(`${part}.oneOf`, `stands beside type ${show(type)}`, 'type u8');
  checkNames(`${part}.oneOf`, oneOf, 1, ENUM_NAMES_MAX, say);
}

function checkWire(part: string, name: string, { type, oneOf, wire }: Loose, say: Say): void {
  if (PLAIN_ENTITY_KEYS.includes(name)) {
    say(
      part,
      'is sent to clients under a name that entities have already',
      `any name but ${PLAIN_ENTITY_KEYS.join(', ')}, or no wire form`,
    );
  }
  if (!isObject(wire)) {
    say(`${part}.wire`, `is ${show(wire)}`, 'an object such as { type: "u8" }');
    return;
  }
  checkKeys(`${part}.wire`, wire, WIRE_KEYS, say);
  if (SHAPED_TYPES.includes(type as string) || oneOf !== undefined) {
    for (const key of ['type', 'scale', 'offset']) {
      if (wire[key] !== undefined)
        say(`${part}.wire.${key}`, 'stands beside a field whose values are no numbers', 'audience');
    }
  } else if (wire.type !== undefined) checkOneOf(`${part}.wire.type`, wire.type, WIRE_TYPE_NAMES, say);
  if (wire.audience !== undefined) checkOneOf(`${part}.wire.audience`, wire.audience, AUDIENCES, say);
  if (wire.scale !== undefined && (!Number.isFinite(wire.scale) || wire.scale === 0)) {
    say(`${part}.wire.scale`, `is ${show(wire.scale)}`, 'a finite number other than 0');
  }
  if (wire.offset !== undefined && !Number.isFinite(wire.offset)) {
    say(`${part}.wire.offset`, `is ${show(wire.offset)}`, 'a finite number');
  }
}

function checkCommands(commands: unknown, say: Say): void {
  if (commands === undefined) return;
  if (!isObject(commands)) {
    say('commands', `is ${show(commands)}`, 'an object of commands by name');
    return;
  }
  const names = Object.keys(commands);
  if (names.length > WIRE_COMMANDS_MAX) say('commands', `has ${names.length}`, `at most ${WIRE_COMMANDS_MAX}`);
  const kinds = new Map<unknown, string>();
  names.forEach((name, index) => {
    const part = `commands.${name}`;
    const command = commands[name];
    if (!isName(name)) say(part, 'has a name that cannot be used', NAME_RULE);
    if (ENGINE_MESSAGE_NAMES.includes(name)) {
      say(part, 'has the name of a message of the engine', `any name but ${ENGINE_MESSAGE_NAMES.join(', ')}`);
    }
    if (!isObject(command)) {
      say(part, `is ${show(command)}`, 'an object with payload and apply');
      return;
    }
    checkKeys(part, command, COMMAND_KEYS, say);
    const kind = command.kind ?? COMMAND_KIND_MIN + index;
    if (!isWhole(kind, COMMAND_KIND_MIN, COMMAND_KIND_MAX)) {
      say(`${part}.kind`, `is ${show(kind)}`, `a whole number from ${COMMAND_KIND_MIN} to ${COMMAND_KIND_MAX}`);
    }
    const other = kinds.get(kind);
    if (other !== undefined) say(`${part}.kind`, `is ${show(kind)}, as that of ${other}`, 'each number once');
    kinds.set(kind, name);
    checkRate(`${part}.ratePerSecond`, command.ratePerSecond, say);
    if (typeof command.apply !== 'function') {
      say(`${part}.apply`, `is ${show(command.apply)}`, 'a function of zone, row and payload');
    }
    checkPayload(`${part}.payload`, command.payload, say);
  });
}

function checkRate(part: string, rate: unknown, say: Say): void {
  if (rate === undefined) return;
  if (typeof rate !== 'number' || !(rate >= COMMAND_RATE_MIN && rate <= COMMAND_RATE_MAX)) {
    say(part, `is ${show(rate)}`, `a number from 1/60, which is one in a minute, to ${COMMAND_RATE_MAX}`);
  }
}

function checkPayload(part: string, payload: unknown, say: Say, mayHaveRefs = false): void {
  const types = [...WIRE_TYPE_NAMES, 'bool', mayHaveRefs ? 'ref' : 'text'];
  if (!isObject(payload)) {
    say(part, `is ${show(payload)}`, 'an object of values by name; {} for none');
    return;
  }
  let isSound = true;
  for (const [name, value] of Object.entries(payload)) {
    const path = `${part}.${name}`;
    if (!isName(name)) say(path, 'has a name that cannot be used', NAME_RULE);
    if (!mayHaveRefs && PLAIN_MESSAGE_KEYS.includes(name)) {
      say(path, 'has the name of a key that every message has', `any name but ${PLAIN_MESSAGE_KEYS.join(', ')}`);
    }
    if (!isObject(value)) {
      say(path, `is ${show(value)}`, 'an object such as { type: "u8" }');
      isSound = false;
      continue;
    }
    checkKeys(path, value, PAYLOAD_KEYS, say);
    if (!checkOneOf(`${path}.type`, value.type, types, say)) isSound = false;
    else checkRange(path, value, say);
    if (value.oneOf !== undefined) {
      if (value.type !== 'u8') say(`${path}.oneOf`, `stands beside type ${show(value.type)}`, 'type u8');
      checkNames(`${path}.oneOf`, value.oneOf, 1, 256, say);
      isSound &&= Array.isArray(value.oneOf);
    }
  }
  if (!isSound) return;
  const { end } = placeFields(formPayload(payload as PayloadSource));
  const bytes = Math.ceil(end / 4) * 4;
  const hasText = Object.values(payload).some((value) => isObject(value) && value.type === 'text');
  const most = hasText ? TEXT_COMMAND_PAYLOAD_BYTES_MAX : COMMAND_PAYLOAD_BYTES_MAX;
  if (bytes > most) {
    say(part, `has ${bytes} bytes`, `at most ${most}, each value at a multiple of its own size`);
  }
}

function checkRange(path: string, { type, bytes, min, max, reserved }: Loose, say: Say): void {
  if (type === 'text') {
    if (!isWhole(bytes, 1, TEXT_COMMAND_PAYLOAD_BYTES_MAX - 1)) {
      say(`${path}.bytes`, `is ${show(bytes)}`, `a whole number from 1 to ${TEXT_COMMAND_PAYLOAD_BYTES_MAX - 1}`);
    }
  } else if (bytes !== undefined) say(`${path}.bytes`, `stands beside type ${show(type)}`, 'type text');
  if (type === 'bool' || type === 'ref' || type === 'text') return;
  const number = WIRE_TYPES[type as WireTypeName];
  const [least, most] = [WIRE_TYPE_MIN[number], WIRE_TYPE_MAX[number]];
  for (const [key, bound] of Object.entries({ min, max })) {
    if (bound !== undefined && !(typeof bound === 'number' && bound >= least && bound <= most)) {
      say(`${path}.${key}`, `is ${show(bound)}`, `a number from ${least} to ${most}, as of ${type}`);
    }
  }
  if (typeof min === 'number' && typeof max === 'number' && min > max) {
    say(path, `has min ${min} above max ${max}`, 'min first');
  }
  if (reserved !== undefined && reserved !== true) say(`${path}.reserved`, `is ${show(reserved)}`, 'true, or nothing');
}

function checkGrants(grants: unknown, say: Say): void {
  if (grants === undefined) return;
  if (!Array.isArray(grants)) {
    say('grants', `is ${show(grants)}`, 'a list of grants');
    return;
  }
  const names: unknown[] = [];
  grants.forEach((grant: unknown, index) => {
    if (!isObject(grant)) {
      say(`grants[${index}]`, `is ${show(grant)}`, 'an object with name, min, max and apply');
      return;
    }
    const { name, min, max, apply } = grant;
    const part = `grants[${index}]`;
    if (!isName(name)) say(`${part}.name`, `is ${show(name)}`, NAME_RULE);
    if (names.includes(name)) say(`${part}.name`, `is ${show(name)} again`, 'each name once');
    names.push(name);
    const isRange = isWithin(min, GRANT_AMOUNT_MAX) && isWithin(max, GRANT_AMOUNT_MAX) && min <= max;
    if (!isRange) {
      say(part, `takes ${show(min)} to ${show(max)}`, `within -${GRANT_AMOUNT_MAX} to ${GRANT_AMOUNT_MAX}, min first`);
    }
    if (typeof apply !== 'function') say(`${part}.apply`, `is ${show(apply)}`, 'a function of zone, row and amount');
  });
}

function checkEventForms(forms: unknown, events: readonly string[], say: Say): void {
  if (forms === undefined) return;
  if (!isObject(forms)) {
    say('eventForms', `is ${show(forms)}`, 'an object of forms by the name of an event');
    return;
  }
  for (const [name, form] of Object.entries(forms)) {
    const part = `eventForms.${name}`;
    if (!events.includes(name)) {
      say(part, `is the form of no event${hint(name, events)}`, events.length === 0 ? 'none' : events.join(', '));
    }
    if (!isObject(form)) {
      say(part, `is ${show(form)}`, 'an object such as { topic: "player" }');
      continue;
    }
    checkKeys(part, form, FORM_KEYS, say);
    if (form.topic !== undefined) checkOneOf(`${part}.topic`, form.topic, TOPICS, say);
    for (const key of ['other', 'a', 'b']) {
      if (form[key] !== undefined && !isName(form[key])) say(`${part}.${key}`, `is ${show(form[key])}`, NAME_RULE);
    }
    if (form.scale !== undefined && (!Number.isFinite(form.scale) || form.scale === 0)) {
      say(`${part}.scale`, `is ${show(form.scale)}`, 'a finite number other than 0');
    }
    if (form.value !== undefined && form.value !== 'low')
      say(`${part}.value`, `is ${show(form.value)}`, 'low, or nothing');
  }
}

function checkSystems(path: string, systems: unknown, say: Say): void {
  if (systems === undefined) return;
  if (!Array.isArray(systems)) {
    say(path, `is ${show(systems)}`, 'a list of systems, in their order');
    return;
  }
  const names: unknown[] = [];
  systems.forEach((system: unknown, index) => {
    const part = `${path}[${index}]`;
    if (!isObject(system)) {
      say(part, `is ${show(system)}`, 'an object with name and run');
      return;
    }
    if (typeof system.name !== 'string' || system.name === '') {
      say(`${part}.name`, `is ${show(system.name)}`, 'a text, by which errors and figures name it');
    } else if (names.includes(system.name)) say(`${part}.name`, `is '${system.name}' again`, 'each name once');
    names.push(system.name);
    if (typeof system.run !== 'function') say(`${part}.run`, `is ${show(system.run)}`, 'a function of zone');
  });
}

function checkHooks(game: Loose, say: Say): void {
  if (typeof game.spawnPlayer !== 'function') {
    say('spawnPlayer', `is ${show(game.spawnPlayer)}`, 'a function of zone, x and y that returns a row, or -1');
  }
  for (const name of HOOKS) {
    if (game[name] !== undefined && typeof game[name] !== 'function') say(name, `is ${show(game[name])}`, 'a function');
  }
  if (game.restingKinds !== undefined && typeof game.populateCell !== 'function') {
    say('populateCell', 'is missing beside restingKinds', 'a function that gives a cell its first life');
  }
}
