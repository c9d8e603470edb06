import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultOptions, helpText, parseLoadOptions } from '../../../bench/load/options.js';

test('without options the defaults hold, and they are the promised load', () => {
  const { options, problems } = parseLoadOptions([]);
  assert.deepEqual(problems, []);
  assert.deepEqual(options, defaultOptions());
  assert.equal(options.clients, 2000);
  assert.equal(options.scene, 'spread');
});

test('every option is read, with a space or an equals sign', () => {
  const { options, problems } = parseLoadOptions([
    ...['--clients', '250', '--seconds=5', '--input-hz', '20', '--update-hz=20', '--scene', 'hubs', '--visible=40'],
    ...[
      '--json',
      '--threads',
      '2',
      '--seed=9',
      '--ramp',
      '100',
      '--sample=8',
      '--server-args',
      '--zones 4x1  --bots 10',
    ],
  ]);
  assert.deepEqual(problems, []);
  assert.deepEqual(options, {
    ...defaultOptions(),
    clients: 250,
    seconds: 5,
    inputHz: 20,
    updateHz: 20,
    scene: 'hubs',
    visible: 40,
    json: true,
    threads: 2,
    seed: 9,
    ramp: 100,
    sample: 8,
    serverArgs: ['--zones', '4x1', '--bots', '10'],
  });
});

test('all mistakes are told at once, each with what is allowed', () => {
  const { problems } = parseLoadOptions([
    ...['--clients', '0', '--seconds', 'ten', '--scene', 'party', '--input-hz=-3', '--jsno', '--json=yes'],
    ...['--url', 'http://127.0.0.1:1', '--threads'],
  ]);
  assert.equal(problems.length, 8, problems.join('\n'));
  assert.match(problems[0], /--clients: "0" .* 1 to 25000/);
  assert.match(problems[1], /--seconds: "ten" .* 1 to 3600/);
  assert.match(problems[2], /--scene: "party" .* spread, crowd, hubs/);
  assert.match(problems[3], /--input-hz: "-3"/);
  assert.match(problems[4], /--jsno: no such option/);
  assert.match(problems[5], /--json: "yes" .* no value/);
  assert.match(problems[6], /--url: .* ws:\/\//);
  assert.match(problems[7], /--threads: value is missing/);
});

test('another machine is no target, unless it is said to be allowed', () => {
  for (const url of ['ws://127.0.0.1:8080', 'ws://localhost:1', 'ws://[::1]:8080/ws/game', 'ws://127.4.5.6:80/x']) {
    assert.deepEqual(parseLoadOptions(['--url', url]).problems, [], url);
  }
  for (const url of ['ws://192.0.2.1:8080', 'ws://example.org', 'ws://127.0.0.1.example.org']) {
    assert.match(parseLoadOptions(['--url', url]).problems.join('\n'), /is not this machine/, url);
    assert.deepEqual(parseLoadOptions(['--url', url, '--allow-remote']).problems, [], url);
  }
});

test('an address without a path means the game', () => {
  assert.equal(parseLoadOptions(['--url', 'ws://127.0.0.1:8080']).options.url!.pathname, '/ws/game');
  assert.equal(parseLoadOptions(['--url', 'ws://127.0.0.1:8080/other']).options.url!.pathname, '/other');
});

test('settings for a server go with a server that is started here only', () => {
  const { problems } = parseLoadOptions(['--url', 'ws://127.0.0.1:8080', '--server-args', '--bots 1']);
  assert.match(problems.join('\n'), /--server-args: only for a server that is started here/);
});

test('the help names every option with its default', () => {
  for (const [key, value] of Object.entries(defaultOptions())) {
    const flag = `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    const line = helpText()
      .split('\n')
      .find((candidate) => candidate.trim().split(' ')[0] === flag);
    assert.ok(line !== undefined, flag);
    if (typeof value === 'number') assert.ok(line.includes(`(${value})`), line);
  }
});
