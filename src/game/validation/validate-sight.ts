// Mistakes in what a game says of who sees what.

import { SIGHT_FIELD_NAMES, TEAM_FIELD_NAMES } from './reserved-names.js';

type Loose = Readonly<Record<string, unknown>>;

export function checkSight(game: Loose, say: (part: string, what: string, allowed: string) => void): void {
  const { visibility, teams } = game;
  const fields = (typeof game.fields === 'object' && game.fields !== null ? game.fields : {}) as Record<string, Loose>;
  if (visibility !== undefined && visibility !== 'masks')
    say('visibility', `is ${String(visibility)}`, "'masks', or nothing");
  if (teams !== undefined && teams !== true) say('teams', `is ${String(teams)}`, 'true, or nothing');
  for (const [name, field] of Object.entries(fields)) {
    if (visibility === 'masks' && SIGHT_FIELD_NAMES.includes(name)) {
      say(
        `fields.${name}`,
        "has the name of a column that visibility: 'masks' brings",
        `any name but ${SIGHT_FIELD_NAMES.join(', ')}`,
      );
    }
    if (teams === true && TEAM_FIELD_NAMES.includes(name)) {
      say(
        `fields.${name}`,
        'has the name of the column that teams: true brings',
        `any name but ${TEAM_FIELD_NAMES.join(', ')}`,
      );
    }
    const wire = field?.wire as Loose | undefined;
    if (wire?.audience === 'team' && teams !== true) {
      say(`fields.${name}.wire.audience`, "is 'team' in a game without teams", "'team' beside teams: true");
    }
  }
}
