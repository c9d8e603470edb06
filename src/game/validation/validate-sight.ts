// Mistakes in what a game says of who sees what.

import { SEEN_FROM_MAX } from '../limits.js';
import { isObject, type Loose, type Say, show } from './checks.js';
import { SIGHT_FIELD_NAMES, TEAM_FIELD_NAMES } from './reserved-names.js';

const MASK_MAX = 0xffffffff;

export function checkSight(game: Loose, say: Say): void {
  checkSeenFrom(game, say);
  const { visibility, teams } = game;
  if (visibility !== undefined && visibility !== 'masks')
    say('visibility', `is ${show(visibility)}`, "'masks', or nothing");
  const { seesAsSpectator: sees } = game;
  if (sees !== undefined && !(Number.isInteger(sees) && (sees as number) >= 0 && (sees as number) <= MASK_MAX))
    say('seesAsSpectator', `is ${show(sees)}`, `a whole number from 0 to ${MASK_MAX}`);
  else if (sees !== undefined && visibility !== 'masks')
    say('seesAsSpectator', "is there without visibility: 'masks'", "visibility: 'masks' beside it, or nothing");
  if (teams !== undefined && teams !== true) say('teams', `is ${show(teams)}`, 'true, or nothing');
  for (const { part, name, field } of listFields(game)) {
    if (visibility === 'masks' && SIGHT_FIELD_NAMES.includes(name)) {
      say(
        part,
        "has the name of a column that visibility: 'masks' brings",
        `any name but ${SIGHT_FIELD_NAMES.join(', ')}`,
      );
    }
    if (teams === true && TEAM_FIELD_NAMES.includes(name)) {
      say(part, 'has the name of the column that teams: true brings', `any name but ${TEAM_FIELD_NAMES.join(', ')}`);
    }
    const wire = field?.wire as Loose | undefined;
    if (wire?.audience === 'team' && teams !== true) {
      say(`${part}.wire.audience`, "is 'team' in a game without teams", "'team' beside teams: true");
    }
  }
}

function listFields({ fields, components }: Loose): { part: string; name: string; field: Loose | undefined }[] {
  const groups: [string, unknown][] = [['fields', fields]];
  for (const [name, group] of Object.entries(isObject(components) ? components : {}))
    groups.push([`components.${name}`, group]);
  return groups.flatMap(([path, group]) =>
    Object.entries(isObject(group) ? group : {}).map(([name, field]) => {
      return { part: `${path}.${name}`, name, field: field as Loose | undefined };
    }),
  );
}

function checkSeenFrom({ seenFrom, kinds }: Loose, say: Say): void {
  if (seenFrom === undefined) return;
  const names = isObject(kinds) ? Object.keys(kinds) : Array.isArray(kinds) ? kinds : [];
  const allowed = `a number from 1 to ${SEEN_FROM_MAX}, or 'everywhere'`;
  if (!isObject(seenFrom)) {
    say('seenFrom', `is ${show(seenFrom)}`, `an object with ${allowed} by kind`);
    return;
  }
  for (const [kind, from] of Object.entries(seenFrom)) {
    if (!names.includes(kind)) say(`seenFrom.${kind}`, 'is no kind', names.join(', '));
    const isSound = from === 'everywhere' || (typeof from === 'number' && from >= 1 && from <= SEEN_FROM_MAX);
    if (!isSound) say(`seenFrom.${kind}`, `is ${show(from)}`, allowed);
  }
}
