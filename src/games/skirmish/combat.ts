// Who hurts whom. A blow goes to its victim as a message, so it does not matter on which side of a border it stands.

import { headingX, headingY } from '../heading.js';
import type { Game } from './fields.js';
import { dropAll } from './items.js';
import {
  BODIES,
  BODY,
  BOLT_SPEED,
  BURN_DAMAGE,
  BURN_SECONDS,
  type Effect,
  HP_MAX,
  KIND,
  NPC_GOLD,
  PHASE,
  RESPAWN_SECONDS,
  SKILLS,
  SLOW_SECONDS,
  STUN_SECONDS,
  WEAPON_POWER,
} from './rules.js';

const found = new Int32Array(64);

export function isActing(zone: Game, row: number): boolean {
  const { hp, stunned } = zone.columns;
  return hp[row] > 0 && stunned[row] === 0;
}

/** The cast of a skill is over. */
export function release(zone: Game, row: number): void {
  const { casting, castAngle, item } = zone.columns;
  const skill = SKILLS[casting[row] - 1];
  casting[row] = 0;
  if (skill === undefined || !isActing(zone, row)) return;
  const power = skill.power + WEAPON_POWER[item[row]];
  const [x, y] = [zone.positionX[row], zone.positionY[row]];
  if (skill.name === 'bolt') shoot(zone, row, castAngle[row], power, skill.range);
  else {
    const count = zone.queryCircle(x, y, skill.range, found);
    for (let i = 0; i < count; i++) {
      const other = found[i];
      if (!zone.ground.isClear(x, y, zone.positionX[other], zone.positionY[other])) continue;
      if (skill.name === 'mend') {
        if (zone.team[other] === zone.team[row] && zone.kind[other] === KIND.player) {
          zone.post(zone.refOf(other), 'mend', { amount: skill.power });
        }
      } else if (isFoe(zone, row, other) && (skill.name !== 'strike' || isBefore(zone, row, other))) {
        hit(zone, row, other, power, skill.effect);
      }
    }
  }
}

/** Whether one may be hurt by the other. What stands here as a mirror may. */
function isFoe(zone: Game, row: number, other: number): boolean {
  if (other === row || ((1 << zone.kind[other]) & BODIES) === 0 || zone.columns.hp[other] === 0) return false;
  return zone.team[other] !== zone.team[row];
}

function isBefore(zone: Game, row: number, other: number): boolean {
  const angle = zone.columns.castAngle[row];
  const [x, y] = [zone.positionX[other] - zone.positionX[row], zone.positionY[other] - zone.positionY[row]];
  return x * headingX(angle) + y * headingY(angle) >= 0;
}

export function hit(zone: Game, row: number, other: number, damage: number, effect: Effect): void {
  zone.post(zone.refOf(other), 'hit', { damage, effect, by: zone.refOf(row), team: zone.team[row] });
}

/** Where the victim lives. */
export function suffer(zone: Game, row: number, damage: number, effect: Effect, by: number, team: number): void {
  const { hp, stunned, slowed, burning, burnedBy } = zone.columns;
  if (zone.shared.phase !== PHASE.play || hp[row] === 0 || (zone.team[row] !== 0 && zone.team[row] === team)) return;
  hp[row] = Math.max(0, hp[row] - damage);
  // Those two alone: whoever stands near may not see them.
  const hurt = { who: zone.refOf(row), damage };
  zone.tell(row, 'hurt', hurt);
  zone.post(by, 'dealt', hurt);
  if (hp[row] === 0) {
    fall(zone, row, by, team);
    return;
  }
  if (effect === 'stun') {
    stunned[row] = 1;
    zone.columns.casting[row] = 0;
    zone.after(row, 'wake', STUN_SECONDS);
  } else if (effect === 'slow') {
    slowed[row] = 1;
    zone.after(row, 'hasten', SLOW_SECONDS);
  } else if (effect === 'burn') {
    burning[row] = 1;
    burnedBy[row] = by;
    if (zone.timeLeft(row, 'scorch') < 0) zone.after(row, 'scorch', 0.5);
    zone.after(row, 'quench', BURN_SECONDS);
  }
}

/** Half a second of fire, in the name of who lit it. */
export function scorch(zone: Game, row: number): void {
  const { burning, burnedBy } = zone.columns;
  if (burning[row] === 0) return;
  zone.after(row, 'scorch', 0.5);
  const foes = zone.team[row] === 0 ? 0 : 3 - zone.team[row];
  suffer(zone, row, BURN_DAMAGE, 'none', burnedBy[row], foes);
}

function fall(zone: Game, row: number, by: number, team: number): void {
  const { deaths } = zone.columns;
  const isPlayer = zone.kind[row] === KIND.player;
  zone.post(by, 'credit', { kills: isPlayer ? 1 : 0, gold: isPlayer ? 0 : NPC_GOLD });
  if (isPlayer) {
    deaths[row]++;
    zone.tellAll('killed', { victim: zone.refOf(row), killer: by });
    if (team > 0) zone.postShared('scored', { team });
    dropAll(zone, row);
    calm(zone, row);
    zone.after(row, 'rise', RESPAWN_SECONDS);
  } else zone.despawn(row);
}

export function calm(zone: Game, row: number): void {
  const { stunned, slowed, burning, casting, intentX, intentY } = zone.columns;
  for (const column of [stunned, slowed, burning, casting, intentX, intentY]) column[row] = 0;
}

export function rise(zone: Game, row: number): void {
  zone.columns.hp[row] = HP_MAX;
  zone.columns.mp[row] = HP_MAX;
  const side = zone.team[row] === 2 ? 0.85 : 0.15;
  zone.positionX[row] = zone.world.width * side + (zone.random() - 0.5) * 6;
  zone.positionY[row] = zone.world.height * (0.3 + 0.4 * zone.random());
}

function shoot(zone: Game, row: number, angle: number, power: number, reach: number): void {
  const bolt = zone.spawn(KIND.bolt, zone.positionX[row], zone.positionY[row]);
  if (bolt < 0) return;
  const { speedX, speedY, shooter } = zone.columns;
  speedX[bolt] = headingX(angle) * BOLT_SPEED;
  speedY[bolt] = headingY(angle) * BOLT_SPEED;
  shooter[bolt] = zone.refOf(row);
  zone.columns.power[bolt] = power;
  zone.columns.reach[bolt] = reach;
  zone.team[bolt] = zone.team[row];
}

export function flyBolts(zone: Game): void {
  const { alive, kind, positionX, positionY, dt, rowLimit, team } = zone;
  const { speedX, speedY, shooter, power, reach } = zone.columns;
  for (let row = 0; row < rowLimit; row++) {
    if (alive[row] === 0 || kind[row] !== KIND.bolt) continue;
    const [stepX, stepY] = [speedX[row] * dt, speedY[row] * dt];
    const wall = zone.ground.sweep(positionX[row], positionY[row], stepX, stepY, 0.1);
    const victim = firstFoe(zone, row, stepX, stepY);
    reach[row] -= BOLT_SPEED * dt;
    if (victim >= 0 && zone.hitAt <= wall) {
      const by = shooter[row];
      zone.post(zone.refOf(victim), 'hit', { damage: power[row], effect: 'burn', by, team: team[row] });
    }
    const { width, height } = zone.world;
    const [x, y] = [positionX[row], positionY[row]];
    const isOut = x < 1 || x > width - 1 || y < 1 || y > height - 1 || reach[row] <= 0;
    if (victim >= 0 || wall <= 1 || isOut) zone.despawn(row);
    else {
      positionX[row] += stepX;
      positionY[row] += stepY;
    }
  }
}

/** The shooter and its team are passed through. */
function firstFoe(zone: Game, row: number, stepX: number, stepY: number): number {
  const [x, y] = [zone.positionX[row], zone.positionY[row]];
  const victim = zone.firstHit(x, y, stepX, stepY, BODY + 0.2, BODIES, row);
  return victim >= 0 && zone.team[victim] !== zone.team[row] && zone.columns.hp[victim] > 0 ? victim : -1;
}
