// Skirmish: two teams, four skills, fog, loot, and matches over the whole world.

import { defineGame } from '../../game/define-game.js';
import { RejectCode } from '../../game/reject-codes.js';
import { calm, flyBolts, isActing, release, rise, scorch, suffer } from './combat.js';
import { COMMANDS } from './commands.js';
import { FIELDS, type Game, SHARED_FIELDS } from './fields.js';
import { lay, reachOut, receive, use, yieldLoot } from './items.js';
import { beginMatch, beginRound, enlist, keepTime } from './match.js';
import { lift, think, walk } from './moves.js';
import { EFFECTS, HP_MAX, KIND, KINDS, MP_MAX, NPCS_PER_ZONE, SKILLS } from './rules.js';

/** A timer that ends something, or nothing: it is there to be asked for what is left of it. */
const ends = (column?: 'stunned' | 'slowed' | 'burning') => ({
  fire: (zone: Game, row: number) => {
    if (column !== undefined) zone.columns[column][row] = 0;
  },
});

export default defineGame({
  name: 'skirmish',
  version: 1,
  kinds: KINDS,
  visibility: 'masks',
  teams: true,
  fields: FIELDS,
  commands: {
    Move: {
      payload: COMMANDS.Move,
      apply(zone, row, { x, y }) {
        zone.columns.intentX[row] = x;
        zone.columns.intentY[row] = y;
      },
    },
    Cast: {
      payload: COMMANDS.Cast,
      apply(zone, row, { skill: number, angle }) {
        const { casting, castAngle, mp } = zone.columns;
        const skill = SKILLS[number];
        if (!isActing(zone, row)) return RejectCode.NotAlive;
        if (casting[row] !== 0 || zone.timeLeft(row, `cool${number}`) >= 0) return RejectCode.Cooldown;
        if (mp[row] < skill.cost) return RejectCode.GameRule;
        mp[row] -= skill.cost;
        casting[row] = number + 1;
        castAngle[row] = angle;
        zone.after(row, `cool${number}`, skill.cooldown);
        zone.after(row, 'release', skill.cast);
      },
    },
    Take: { payload: {}, ratePerSecond: 5, apply: (zone, row) => (reachOut(zone, row) ? 0 : RejectCode.GameRule) },
    Use: {
      payload: COMMANDS.Use,
      apply: (zone, row, { slot }) => (use(zone, row, slot) ? 0 : RejectCode.GameRule),
    },
    Say: {
      payload: COMMANDS.Say,
      ratePerSecond: 1,
      apply(zone, row, { text, team }) {
        const said = { who: zone.refOf(row), name: zone.textOf('name', row), text };
        if (team) zone.tellTeam(zone.team[row], 'said', said);
        else zone.tellAll('said', said);
      },
    },
  },
  messages: {
    hit: {
      payload: {
        damage: { type: 'u16' },
        effect: { type: 'u8', oneOf: EFFECTS },
        by: { type: 'ref' },
        team: { type: 'u8' },
      },
      apply: (zone, row, { damage, effect, by, team }) => suffer(zone, row, damage, effect, by, team),
    },
    mend: {
      payload: { amount: { type: 'u16' } },
      apply({ columns: { hp } }, row, { amount }) {
        if (hp[row] > 0) hp[row] = Math.min(HP_MAX, hp[row] + amount);
      },
    },
    credit: {
      payload: { kills: { type: 'u8' }, gold: { type: 'u16' } },
      apply({ columns }, row, { kills, gold }) {
        columns.kills[row] += kills;
        columns.gold[row] += gold;
      },
    },
    dealt: {
      payload: { who: { type: 'ref' }, damage: { type: 'u16' } },
      apply: (zone, row, hurt) => zone.tell(row, 'hurt', hurt),
    },
    claim: { payload: { by: { type: 'ref' } }, apply: (zone, row, { by }) => yieldLoot(zone, row, by) },
    give: {
      payload: { item: { type: 'u8' }, gold: { type: 'u32' } },
      apply: (zone, row, { item, gold }) => receive(zone, row, item, gold),
      undelivered: (zone, _row, { item, gold }) => lay(zone, zone.area.x + 1, zone.area.y + 1, item, gold),
    },
    enlist: {
      payload: { team: { type: 'u8' } },
      // It left before it heard: its place is free again.
      undelivered: (zone, _row, { team }) => void zone.postShared('left', { team }),
      apply(zone, row, { team }) {
        zone.team[row] = team;
        zone.columns.side[row] = team;
        rise(zone, row);
      },
    },
  },
  shared: {
    fields: SHARED_FIELDS,
    begin: beginMatch,
    systems: [{ name: 'time', run: keepTime }],
    messages: {
      joined: { payload: { who: { type: 'ref' } }, apply: (zone, { who }) => enlist(zone, who) },
      left: {
        payload: { team: { type: 'u8' } },
        apply({ shared: { sizes } }, { team }) {
          if (team > 0) sizes[team - 1]--;
        },
      },
      scored: {
        payload: { team: { type: 'u8' } },
        apply({ shared: { scores } }, { team }) {
          scores[team - 1]++;
        },
      },
    },
  },
  notes: {
    said: { payload: { who: { type: 'ref' }, name: { type: 'text', bytes: 24 }, text: { type: 'text', bytes: 120 } } },
    killed: { payload: { victim: { type: 'ref' }, killer: { type: 'ref' } } },
    hurt: { payload: { who: { type: 'ref' }, damage: { type: 'u16' } } },
    result: { payload: { winner: { type: 'u8' }, first: { type: 'u16' }, second: { type: 'u16' } } },
  },
  timers: {
    release: { fire: release },
    wake: ends('stunned'),
    hasten: ends('slowed'),
    quench: ends('burning'),
    scorch: { fire: scorch },
    rise: { fire: rise },
    ...Object.fromEntries(SKILLS.map((_, number) => [`cool${number}`, ends()])),
  },
  schedules: { npcs: { every: 5, run: (zone) => populateNpcs(zone) } },
  systems: [
    { name: 'round', run: beginRound },
    { name: 'think', run: think },
    { name: 'walk', run: walk },
    { name: 'bolts', run: flyBolts },
    { name: 'fog', run: lift },
  ],
  ground(ground, { width, height }) {
    for (const [x, y] of [
      [0.5, 0.2],
      [0.5, 0.8],
      [0.3, 0.5],
      [0.7, 0.5],
    ]) {
      ground.box(width * x - 2, height * y - 5, 4, 10);
    }
  },
  onJoin(zone, row, who) {
    zone.setText('name', row, who.name);
    if (who.reason !== 'resumed') zone.postShared('joined', { who: zone.refOf(row) });
  },
  onLeave: (zone, row) => void zone.postShared('left', { team: zone.team[row] }),
  spawnPlayer(zone, x, y) {
    const row = zone.spawn(KIND.player, x, y);
    if (row < 0) return row;
    calm(zone, row);
    zone.columns.hp[row] = HP_MAX;
    zone.columns.mp[row] = MP_MAX;
    return row;
  },
  populate(zone) {
    populateNpcs(zone);
    const { area } = zone;
    for (let item = 1; item <= 4; item++)
      lay(zone, area.x + zone.random() * area.width, area.y + zone.random() * area.height, item, 10);
  },
});

function populateNpcs(zone: Game): void {
  let count = 0;
  for (let row = 0; row < zone.rowLimit; row++) if (zone.alive[row] !== 0 && zone.kind[row] === KIND.npc) count++;
  for (; count < NPCS_PER_ZONE; count++) {
    const { area } = zone;
    const row = zone.spawn(KIND.npc, area.x + zone.random() * area.width, area.y + zone.random() * area.height);
    if (row >= 0) zone.columns.hp[row] = 30;
  }
}
