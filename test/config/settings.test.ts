import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../src/base/chance.js';
import { compareSettings, LIVE_SETTINGS } from '../../src/config/live-reload.js';
import { parseSetting } from '../../src/config/setting-lookup.js';
import { environmentName, kebabName } from '../../src/config/setting-names.js';
import { SETTING_NAMES, SETTINGS } from '../../src/config/setting-table.js';
import { SETTING_GROUPS } from '../../src/config/setting-types.js';
import { DEFAULTS, type LoadedSettings, loadSettings, type SettingInputs } from '../../src/config/settings.js';
import { helpText, versionText } from '../../src/server/cli/help.js';

/** Files by path; any other is missing. */
function load(argv: string[], env: SettingInputs['env'] = {}, files: Record<string, string> = {}): LoadedSettings {
  const readFile = (path: string) => {
    if (path in files) return files[path];
    throw Object.assign(new Error(`no file ${path}`), { code: 'ENOENT' });
  };
  return loadSettings({ argv, env, readFile });
}

function accepted(loaded: LoadedSettings) {
  assert.ok('settings' in loaded, `refused: ${JSON.stringify(loaded)}`);
  return loaded;
}

function refused(loaded: LoadedSettings): string[] {
  assert.ok('errors' in loaded, `not refused: ${JSON.stringify(loaded)}`);
  return loaded.errors;
}

function assertMentions(text: string, ...parts: string[]): void {
  for (const part of parts) assert.ok(text.includes(part), `${JSON.stringify(text)} mentions ${JSON.stringify(part)}`);
}

test('without any source every setting has its default, and the defaults fit together', () => {
  const { settings, sources } = accepted(load([]));
  assert.deepEqual(settings, DEFAULTS);
  assert.deepEqual(new Set(Object.values(sources)), new Set(['default']));
});

test('every default is a value that its own setting accepts', () => {
  for (const name of SETTING_NAMES) assert.equal(parseSetting(name, String(DEFAULTS[name])), DEFAULTS[name], name);
});

test('a flag is understood with a space and with an equals sign, and the last one counts', () => {
  assert.equal(accepted(load(['--port', '9000'])).settings.port, 9000);
  assert.equal(accepted(load(['--port=9000'])).settings.port, 9000);
  assert.equal(accepted(load(['--port', '9000', '--port=9001'])).settings.port, 9001);
  assert.equal(accepted(load(['--data', 'a=b'])).settings.data, 'a=b');
  assert.equal(accepted(load(['--data=a=b'])).settings.data, 'a=b');
});

test('every setting can be given as a flag, in the environment, and in the file under both of its names', () => {
  for (const name of SETTING_NAMES) {
    const text = String(DEFAULTS[name]);
    const file = (key: string) => load([], {}, { 'tessera.json': JSON.stringify({ [key]: DEFAULTS[name] }) });
    assert.equal(accepted(load([`--${kebabName(name)}`, text])).sources[name], `--${kebabName(name)}`);
    const variable = environmentName(kebabName(name));
    assert.equal(accepted(load([], { [variable]: text })).sources[name], variable);
    assert.equal(accepted(file(name)).sources[name], 'tessera.json');
    assert.equal(accepted(file(kebabName(name))).sources[name], 'tessera.json');
  }
});

test('flags win over environment over file over defaults', () => {
  const file = { 'tessera.json': '{"port": 1, "bots": 1, "tickHz": 50}' };
  const { settings, sources } = accepted(load(['--port=3'], { TESSERA_PORT: '2', TESSERA_BOTS: '2' }, file));
  assert.deepEqual([settings.port, settings.bots, settings.tickHz, settings.updateHz], [3, 2, 50, 30]);
  assert.deepEqual(
    [sources.port, sources.bots, sources.tickHz, sources.updateHz],
    ['--port', 'TESSERA_BOTS', 'tessera.json', 'default'],
  );
});

test('zones and world set two settings at once, and a single setting is the more exact one', () => {
  const { settings } = accepted(load(['--zones', '4x1', '--world=1024x256']));
  assert.deepEqual(
    [settings.zoneColumns, settings.zoneRows, settings.worldWidth, settings.worldHeight],
    [4, 1, 1024, 256],
  );
  const file = { 'tessera.json': '{"zoneRows": 3, "zones": "1x1"}' };
  assert.equal(accepted(load([], {}, file)).settings.zoneRows, 3);
  assert.equal(accepted(load([], { TESSERA_ZONE_ROWS: '3', TESSERA_ZONES: '1x1' })).settings.zoneRows, 3);
  assert.equal(accepted(load(['--zone-rows=3', '--zones=1x1'])).settings.zoneRows, 1);
});

test('spawn takes each policy and no other', () => {
  for (const policy of ['spread', 'crowd', 'hubs:200']) {
    assert.equal(accepted(load(['--spawn', policy])).settings.spawn, policy);
  }
  for (const policy of ['', 'hubs', 'hubs:', 'hubs:0', 'hubs:-1', 'hubs:1.5', 'everywhere']) {
    assertMentions(refused(load([`--spawn=${policy}`])).join(), 'spawn', '--spawn', policy, 'crowd', 'hubs:N');
  }
});

test('the config file is named by a flag before the environment before tessera.json', () => {
  const files = { 'tessera.json': '{"port": 1}', 'a.json': '{"port": 2}', 'b.json': '{"port": 3}' };
  assert.equal(accepted(load([], {}, files)).settings.port, 1);
  assert.equal(accepted(load([], { TESSERA_CONFIG: 'a.json' }, files)).settings.port, 2);
  assert.equal(accepted(load(['--config', 'b.json'], { TESSERA_CONFIG: 'a.json' }, files)).settings.port, 3);
});

test('a config file that was asked for must be there, the default one need not', () => {
  assertMentions(
    refused(load(['--config', 'nowhere.json'])).join(),
    'config is nowhere.json (from --config)',
    'ENOENT',
  );
  assertMentions(refused(load([], { TESSERA_CONFIG: 'gone.json' })).join(), 'gone.json', 'TESSERA_CONFIG');
  assertMentions(refused(load(['--config'])).join(), '--config has no value');
  const forbidden = () => {
    throw Object.assign(new Error('no'), { code: 'EACCES' });
  };
  assertMentions(refused(loadSettings({ argv: [], env: {}, readFile: forbidden })).join(), 'tessera.json', 'EACCES');
});

test('a config file must be a JSON object of known names and plain values', () => {
  const errorsOf = (text: string) => refused(load([], {}, { 'tessera.json': text }));
  assertMentions(errorsOf('{"port": 80').join(), 'tessera.json', 'not valid JSON');
  for (const text of ['[]', 'null', '5', '"port"']) assertMentions(errorsOf(text).join(), 'tessera.json', 'no object');
  assertMentions(errorsOf('{"prot": 80}').join(), '"prot" in tessera.json', 'did you mean "port"?');
  for (const value of ['null', 'true', '[80]', '{}', '80.5']) {
    assertMentions(errorsOf(`{"port": ${value}}`).join(), 'port is', value, 'tessera.json', '0 to 65535');
  }
  for (const key of ['constructor', '__proto__', 'toString', 'config', 'help']) {
    assertMentions(errorsOf(`{"${key}": 1}`).join(), `"${key}" in tessera.json is no setting`);
    assert.ok(!errorsOf(`{"${key}": 1}`).join().includes('did you mean'), key);
  }
});

test('an unknown flag or variable is refused with the name that was most likely meant', () => {
  const near: [string[], string, string][] = [
    [['--prot', '80'], '--prot', '--port'],
    [['--tickhz=30'], '--tickhz', '--tick-hz'],
    [['--client-max', '3'], '--client-max', '--clients-max'],
    [['--zone', '2x2'], '--zone', '--zones'],
  ];
  for (const [argv, given, meant] of near) {
    const errors = refused(load(argv));
    assert.equal(errors.length, 1, errors.join('\n'));
    assertMentions(errors[0], given, `did you mean ${meant}?`);
  }
  assertMentions(refused(load([], { TESSERA_TICKHZ: '30' })).join(), 'TESSERA_TICKHZ', 'did you mean TESSERA_TICK_HZ?');
  assert.ok(
    !refused(load(['--quux-frobnicate']))
      .join()
      .includes('did you mean'),
    'no wild guesses',
  );
  assert.equal(accepted(load([], { PORT: 'x', TESSERACT_PORT: 'x', HOME: '/' })).settings.port, DEFAULTS.port);
});

test('an argument that belongs to no flag and a flag without a value are refused', () => {
  assertMentions(refused(load(['8080'])).join(), '"8080"', 'no flag');
  assertMentions(refused(load(['-p', '--port'])).join('\n'), '"-p"', '--port has no value', '0 to 65535');
  assertMentions(refused(load(['--port', '--bots', '3'])).join(), '--port has no value');
  assertMentions(refused(load(['--bots', '-1'])).join(), 'bots is -1 (from --bots)', 'from 0 to');
  assertMentions(refused(load([], { TESSERA_BOTS: '' })).join(), 'bots is "" (from TESSERA_BOTS)');
});

test('all that is wrong in all sources is told at once, each with name, value, source and what is allowed', () => {
  const errors = refused(
    load(
      ['--port=70000', '--world', '512', '--nonsense=1', '--log-level=loud'],
      { TESSERA_TICK_HZ: 'fast', TESSERA_NONSENSE: '1' },
      { 'tessera.json': '{"port": "eighty", "viewRadius": 0, "nonsense": 1}' },
    ),
  );
  const expected = [
    ['port', 'eighty', 'tessera.json', '0 to 65535'],
    ['viewRadius', '0', 'tessera.json', '1 to 8192'],
    ['"nonsense" in tessera.json'],
    ['tickHz', 'fast', 'TESSERA_TICK_HZ', '10 to 128'],
    ['TESSERA_NONSENSE'],
    ['port', '70000', '--port', '0 to 65535'],
    ['world', '512', '--world', 'two whole numbers, such as 512x512'],
    ['--nonsense'],
    ['logLevel', 'loud', '--log-level', 'trace, debug, info, warn, error, silent'],
  ];
  assert.equal(errors.length, expected.length, errors.join('\n'));
  for (const [index, error] of errors.entries()) assertMentions(error, ...expected[index]);
  for (const error of errors) assert.ok(!error.includes('\n'), 'one line each');
});

test('the ends of every range are accepted and what lies beyond is refused', () => {
  for (const name of SETTING_NAMES) {
    const definition = SETTINGS[name];
    if (definition.form !== 'integer' && definition.form !== 'number') continue;
    const { min, max } = definition;
    assert.equal(parseSetting(name, String(min)), min, name);
    assert.equal(parseSetting(name, String(max)), max, name);
    const beyond = [
      String(min - 1),
      String(max + 1),
      'NaN',
      'Infinity',
      '',
      ' 1',
      '1 ',
      '0x10',
      '1e3',
      '+5',
      '1_0',
      '٣',
    ];
    for (const text of beyond) assert.equal(parseSetting(name, text), undefined, `${name} ${JSON.stringify(text)}`);
    if (definition.form === 'integer') assert.equal(parseSetting(name, `${min}.5`), undefined, name);
  }
});

test('settings that are fine alone must fit together', () => {
  const cases: [string[], string, string][] = [
    [['--update-hz=90'], 'updateHz is 90 (from --update-hz)', 'at most tickHz, 60'],
    [['--zones=16x8', '--world=8192x8192'], 'zoneColumns is 16 (from --zones)', 'at most 64'],
    [['--threads=5'], 'threads is 5', 'at most one per zone, 4'],
    [['--zones=1x8'], 'worldHeight is 512 (default)', 'at least 768'],
    [['--view-radius=64.5'], 'viewRadius is 64.5', 'at least 516'],
    [
      ['--bots=101', '--zones=1x1', '--entities-per-zone=100'],
      'bots is 101',
      'at most entitiesPerZone in each zone, 100',
    ],
    [
      ['--commands-per-client-tick=9', '--commands-per-tick=8'],
      'commandsPerClientTick is 9',
      'at most commandsPerTick, 8',
    ],
    [['--bytes-per-second=1024'], 'bytesPerSecond is 1024', 'at least 128 per update, 3840'],
    [['--hang-ms=299', '--tick-hz=10'], 'hangMs is 299', 'at least 3 ticks, 300'],
    [['--cell-size=48'], 'cellSize is 48 (from --cell-size)', 'what divides the width of a zone, 256'],
    [['--cell-size=64', '--world=512x480'], 'worldHeight is 480', 'what divides the height of a zone, 240'],
    [['--cell-size=16', '--world=8192x8192'], 'cellSize is 16', 'at least 32, 65536 cells'],
    [
      ['--bots=8000000', '--cell-size=64'],
      'bots is 8000000 (from --bots) while cellSize is 64 (from --cell-size), worldWidth is 512 (default), worldHeight is 512 (default), zoneColumns is 2 (default), zoneRows is 2 (default), viewRadius is 24 (default), entitiesPerZone is 32768 (default)',
      'at most 8191 in each of 64 cells, 524224, so that a zone has room for the 4 that a player needs at once',
    ],
    [['--bots=262081', '--cell-size=64', '--entities-per-zone=16384'], 'bots is 262081', 'at most 4095 in each of 64'],
    [['--bots=1000000', '--cell-size=32'], 'bots is 1000000', 'at most 2234 in each of 256 cells, 571904'],
    [
      ['--bots=262080', '--cell-size=64', '--view-radius=64'],
      'bots is 262080',
      'for the 12 that a player needs at once',
    ],
    [['--checkpoint-ms=16'], 'checkpointMs is 16', '0, or at least one tick, 17'],
  ];
  for (const [argv, about, allowed] of cases) {
    const errors = refused(load(argv));
    assertMentions(errors[0], about, allowed);
  }
});

test('a relation at its edge holds', () => {
  accepted(load(['--update-hz=60']));
  accepted(load(['--zones=8x8', '--world=768x768']));
  accepted(load(['--threads=4']));
  accepted(load(['--view-radius=64']));
  accepted(load(['--bots=100', '--zones=1x1', '--entities-per-zone=100']));
  accepted(load(['--bytes-per-second=3840']));
  accepted(load(['--hang-ms=300', '--tick-hz=10']));
  accepted(load(['--checkpoint-ms=17']));
  accepted(load(['--cell-size=32', '--world=8192x8192']));
  accepted(load(['--cell-size=256']));
  accepted(load(['--cell-size=64', '--bots=262080', '--entities-per-zone=16384']));
  accepted(load(['--cell-size=256', '--bots=131072', '--world=512x512']));
  accepted(load(['--cell-size=80', '--bots=1000000', '--world=8000x8000']));
  accepted(load(['--checkpoint-ms=0']));
});

test('a world of one zone may be smaller than what is seen', () => {
  accepted(load(['--zones=1x1', '--world=32x32', '--view-radius=100']));
});

test('a wrong setting is no second complaint about what it does not fit', () => {
  const errors = refused(load(['--tick-hz=fast', '--update-hz=90']));
  assert.equal(errors.length, 1, errors.join('\n'));
  const pair = refused(load(['--zones=lots', '--threads=32']));
  assert.equal(pair.length, 1, pair.join('\n'));
});

test('the default rate of updates follows a slower tick, a chosen one does not', () => {
  assert.equal(accepted(load(['--tick-hz=20'])).settings.updateHz, 20);
  assertMentions(refused(load(['--tick-hz=20', '--update-hz=30'])).join(), 'updateHz is 30 (from --update-hz)');
});

test('help and version win over anything else on the line', () => {
  assert.deepEqual(load(['--port=x', '--help']), { ok: true, help: true });
  assert.deepEqual(load(['-h']), { ok: true, help: true });
  assert.deepEqual(load(['--version', 'x']), { ok: true, version: true });
});

test('the help text lists every setting once with its default and range in 100 columns', () => {
  const lines = helpText().split('\n');
  for (const line of lines) assert.ok(line.length <= 100, `${line.length} columns: ${line}`);
  const starts = lines.flatMap((line, index) => (/^ {2}--/.test(line) || !line.startsWith('   ') ? [index] : []));
  for (const name of SETTING_NAMES) {
    const heads = starts.filter((start) => lines[start].startsWith(`  --${kebabName(name)} `));
    assert.equal(heads.length, 1, name);
    const limit = starts.find((start) => start > heads[0]);
    const entry = lines.slice(heads[0], limit).join(' ').replaceAll(/ +/g, ' ');
    assertMentions(entry, `default ${DEFAULTS[name]}]`);
    assert.equal(entry.includes(' Live. ['), LIVE_SETTINGS.has(name), name);
    const definition = SETTINGS[name];
    if (definition.form === 'integer') assertMentions(entry, `[${definition.min} to ${definition.max}; `);
  }
  for (const group of SETTING_GROUPS) assert.ok(lines.includes(group), group);
  for (const other of ['--zones CxR', '--world WxH', '--config FILE', 'TESSERA_TICK_HZ', 'tessera.json', '--version']) {
    assertMentions(helpText(), other);
  }
  assert.match(versionText(), /^tessera \d+\.\d+\.\d+/);
});

test('no arguments, variables or file contents whatever make it throw', () => {
  const seed = 20261121;
  const random = createRandom(seed);
  const words = [
    '--port',
    '--zones',
    '2x2',
    '=',
    '-',
    '--',
    '',
    '9e9',
    '\0',
    '{}',
    '--config',
    'tessera.json',
    'null',
    'é',
    '--spawn=',
  ];
  const pick = () => words[Math.floor(random() * words.length)];
  for (let round = 0; round < 3000; round++) {
    const argv = Array.from({ length: Math.floor(random() * 5) }, () => pick() + (random() < 0.3 ? pick() : ''));
    const env = { [`TESSERA_${pick()}`]: pick(), TESSERA_PORT: pick() };
    const content = random() < 0.5 ? pick() : JSON.stringify({ [pick()]: pick(), port: [pick()] });
    const loaded = load(argv, env, { 'tessera.json': content });
    if ('errors' in loaded) assert.ok(loaded.errors.length > 0, `seed ${seed} round ${round}`);
  }
});

test('a secret is long enough or refused, and never shown', () => {
  assert.equal(accepted(load(['--resume-secret', 'sixteen letters!'])).settings.resumeSecret, 'sixteen letters!');
  for (const secret of ['fifteen letters', 'with a newline\n and more']) {
    const [error] = refused(load([], { TESSERA_RESUME_SECRET: secret }));
    assertMentions(error, 'resumeSecret is not shown (from TESSERA_RESUME_SECRET)', '16 or more printable characters');
    assert.ok(!error.includes(secret));
  }
  assertMentions(refused(load(['--resume-ms', '600001']))[0], 'resumeMs is 600001', '0 to 600000');
});

test('a rate of updates that nobody gave is measured by the ticks that run, not by those that wait for a restart', () => {
  const files = (settings: object) => ({ 'tessera.json': JSON.stringify(settings) });
  const reread = (before: object, after: object) => {
    const running = accepted(load([], {}, files(before))).settings;
    return compareSettings(running, load([], {}, files(after)));
  };
  const faster = reread({ tickHz: 20 }, { tickHz: 60, joinTimeoutMs: 4000 });
  assert.deepEqual(faster, {
    errors: [],
    applied: ['joinTimeoutMs'],
    restart: ['tickHz'],
    values: { joinTimeoutMs: 4000 },
  });
  const slower = reread({ tickHz: 60 }, { tickHz: 20 });
  assert.deepEqual(slower, { errors: [], applied: [], restart: ['tickHz'], values: {} });
  const taken = reread({ tickHz: 20, updateHz: 10 }, { tickHz: 60 });
  assert.deepEqual(taken, { errors: [], applied: ['updateHz'], restart: ['tickHz'], values: { updateHz: 20 } });
  const given = reread({ tickHz: 20 }, { tickHz: 60, updateHz: 30 });
  assertMentions(
    given.errors.join(),
    'updateHz is 30 (from tessera.json) while tickHz is 20 (from the running server)',
  );
});
