// The play page in a real browser against a real server.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';
import type { TesseraClient } from '../../src/client/client.js';
import { requireOrSkip } from '../require.js';
import { startServer } from '../server.js';

declare global {
  interface Window {
    tessera: TesseraClient;
  }
}

const CHROMIUM = '/usr/bin/chromium';
const CHROMIUM_ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const SIZE = { width: 960, height: 640 };
const isInstalled = existsSync(CHROMIUM);

let browser: Browser;
let server: Awaited<ReturnType<typeof startServer>>;
let screenshots: string;

/** A page of its own, and what it complained of. */
async function openPage(query: string, scale = 1): Promise<{ page: Page; complaints: string[] }> {
  const page = await browser.newPage({ viewport: SIZE, deviceScaleFactor: scale });
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('response', (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()} ${response.url()}`);
  });
  const { host } = new URL(server.wsUrl);
  await page.goto(`http://${host}/${query}`);
  return { page, complaints };
}

async function waitUntilJoined(page: Page, complaints: readonly string[]): Promise<void> {
  const joined = () => window.tessera?.state === 'joined' && window.tessera.self !== null;
  await page.waitForFunction(joined, undefined, { timeout: 20000 }).catch((error: Error) => {
    throw new Error(`the page does not join: ${error.message}\n${complaints.join('\n')}\n${server.log()}`);
  });
}

/** Colours on the canvas that cover at least a few pixels. */
function coloursOf(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const canvas = document.getElementById('world') as HTMLCanvasElement;
    const pixels = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height).data;
    const counts = new Map<string, number>();
    for (let i = 0; i < pixels.length; i += 4) {
      const colour = `#${[0, 1, 2].map((c) => pixels[i + c].toString(16).padStart(2, '0')).join('')}`;
      counts.set(colour, (counts.get(colour) ?? 0) + 1);
    }
    return [...counts].filter(([, count]) => count >= 12).map(([colour]) => colour);
  });
}

async function textOf(page: Page, id: string): Promise<string> {
  return (await page.locator(`#${id}`).textContent()) ?? '';
}

function isReady(t: TestContext): boolean {
  return requireOrSkip(t, isInstalled, `needs ${CHROMIUM}`);
}

before(async () => {
  if (!isInstalled) return;
  screenshots = mkdtempSync(join(tmpdir(), 'tessera-page-'));
  server = await startServer(['--spawn', 'crowd', '--bots', '3000', '--spectators', '4']);
  browser = await chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_ARGS });
});

after(async () => {
  await browser?.close();
  await server?.stop();
  if (screenshots !== undefined && process.env.KEEP_SCREENSHOTS === undefined) {
    rmSync(screenshots, { recursive: true, force: true });
  }
});

test('the page joins by itself with a name in its address, and draws what it is sent', async (t) => {
  if (!isReady(t)) return;
  const { page, complaints } = await openPage('?name=Ada');
  await waitUntilJoined(page, complaints);
  assert.equal(await page.locator('#join').isVisible(), false);
  await page.waitForFunction(() => [...window.tessera.entities.values()].some(({ kind }) => kind === 1));
  // A frame is drawn with every repaint, and what was just received is shown 100 ms later.
  await page.waitForTimeout(300);
  const colours = await coloursOf(page);
  for (const colour of ['#10141b', '#f2b84b', '#7d8c6c']) {
    assert.ok(colours.includes(colour), `${colour} is not among ${colours}`);
  }
  await page.screenshot({ path: join(screenshots, 'joined.png') });
  t.diagnostic(`screenshots: ${screenshots}`);
  assert.deepEqual(complaints, []);
  await page.close();
});

test('with ?watch= the page watches a player, or a place, and does not play', async (t) => {
  if (!isReady(t)) return;
  const walker = await openPage('?name=Walker');
  await waitUntilJoined(walker.page, walker.complaints);
  const { id, x, y } = await walker.page.evaluate(() => window.tessera.self!);
  for (const query of [`?watch=${id}`, `?watch=${x},${y}`]) {
    const { page, complaints } = await openPage(query);
    await page.waitForFunction((watched) => window.tessera.entities.has(watched), id, { timeout: 20000 });
    assert.equal(await page.evaluate(() => window.tessera.self), null);
    await page.waitForFunction(() => document.getElementById('state')!.textContent === 'watching');
    assert.equal(await page.locator('#keys').isVisible(), false);
    await page.keyboard.press('KeyD');
    await page.waitForTimeout(300);
    const pixel = await page.evaluate(() => {
      const canvas = document.getElementById('world') as HTMLCanvasElement;
      return [
        ...canvas
          .getContext('2d')!
          .getImageData(canvas.width / 2, canvas.height / 2, 1, 1)
          .data.slice(0, 3),
      ];
    });
    // The watched player is in the middle, as one's own entity is; at a place it looks as any player does.
    assert.deepEqual(pixel, query.includes(',') ? [0x5a, 0xa9, 0xe6] : [0xf2, 0xb8, 0x4b], query);
    assert.equal(await page.evaluate(() => window.tessera.traffic.framesBad), 0);
    assert.deepEqual(complaints, []);
    await page.close();
  }
  await walker.page.close();
});

test('keys walk, and the picture and the figures follow', async (t) => {
  if (!isReady(t)) return;
  const { page, complaints } = await openPage('?name=Walker');
  await waitUntilJoined(page, complaints);
  const start = await page.evaluate(() => ({ x: window.tessera.self!.x, y: window.tessera.self!.y }));
  const tick = Number(await textOf(page, 'tick'));
  await page.keyboard.down('KeyD');
  await page.waitForFunction((x) => window.tessera.self!.x > x + 2, start.x);
  await page.keyboard.down('ArrowDown');
  await page.waitForFunction((y) => window.tessera.self!.y > y + 2, start.y);
  await page.keyboard.up('KeyD');
  await page.keyboard.up('ArrowDown');
  await page.waitForFunction(() => {
    const last = window.tessera.self!.x + window.tessera.self!.y;
    return new Promise((resolve) => {
      setTimeout(() => resolve(window.tessera.self!.x + window.tessera.self!.y === last), 300);
    });
  });
  await page.waitForFunction(() => /^[1-9]\d* \/s$/.test(document.getElementById('frames')!.textContent ?? ''));
  assert.ok(Number(await textOf(page, 'tick')) > tick);
  assert.match(await textOf(page, 'round-trip'), /^\d+\.\d ms$/);
  assert.match(await textOf(page, 'received'), /^[\d.]+ (B|KiB)\/s$/);
  assert.match(await textOf(page, 'in-view'), /^[1-9]\d*$/);
  assert.equal(await textOf(page, 'state'), 'joined');
  assert.equal(await page.evaluate(() => window.tessera.traffic.framesBad), 0);
  assert.deepEqual(complaints, []);
  await page.close();
});

test('the mouse and the space bar shoot, and the shot is seen', async (t) => {
  if (!isReady(t)) return;
  const { page, complaints } = await openPage('?name=Shooter');
  await waitUntilJoined(page, complaints);
  const sawShot = () => [...window.tessera.entities.values()].some(({ kind }) => kind === 2);
  await page.mouse.move(SIZE.width / 2, 10);
  await page.mouse.down();
  await page.waitForFunction(sawShot);
  await page.screenshot({ path: join(screenshots, 'shooting.png') });
  await page.mouse.up();
  await page.waitForFunction(() => ![...window.tessera.entities.values()].some(({ kind }) => kind === 2));
  await page.keyboard.down('Space');
  await page.waitForFunction(sawShot);
  await page.keyboard.up('Space');
  assert.deepEqual(complaints, []);
  await page.close();
});

test('a name typed into the form joins, and leaving brings the form back', async (t) => {
  if (!isReady(t)) return;
  const { page, complaints } = await openPage('');
  await page.screenshot({ path: join(screenshots, 'form.png') });
  assert.equal(await textOf(page, 'state'), 'closed');
  await page.locator('#name').fill('Wanda');
  await page.keyboard.press('Enter');
  await waitUntilJoined(page, complaints);
  await page.locator('#leave').click();
  await page.locator('#join').waitFor();
  assert.equal(await textOf(page, 'message'), 'You have left.');
  assert.equal(await textOf(page, 'state'), 'closed');
  assert.deepEqual(complaints, []);
  await page.close();
});

test('the canvas is as sharp as the screen and follows the size of the window', async (t) => {
  if (!isReady(t)) return;
  const { page, complaints } = await openPage('?name=Sharp', 2);
  await waitUntilJoined(page, complaints);
  for (const size of [SIZE, { width: 420, height: 700 }]) {
    await page.setViewportSize(size);
    await page.waitForFunction(({ width, height }) => {
      const canvas = document.getElementById('world') as HTMLCanvasElement;
      return canvas.width === width * 2 && canvas.height === height * 2;
    }, size);
  }
  await page.waitForTimeout(200);
  await page.screenshot({ path: join(screenshots, 'narrow.png') });
  await page.close();
});

test('when the server goes away the page says so, and that it will try again', async (t) => {
  if (!isReady(t)) return;
  const { page, complaints } = await openPage('?name=Left');
  await waitUntilJoined(page, complaints);
  await server.stop();
  await page.locator('#join').waitFor();
  await page.waitForFunction(() => /Trying again/.test(document.getElementById('message')!.textContent));
  assert.equal(await textOf(page, 'enter'), 'Reconnect');
  await page.screenshot({ path: join(screenshots, 'away.png') });
  await page.locator('#enter').click();
  await page.waitForFunction(() => /cannot be reached/.test(document.getElementById('message')!.textContent));
  // The panel is drawn a few times per second, the message at once.
  await page.waitForFunction(() => document.getElementById('state')!.textContent === 'closed');
  await page.close();
});
