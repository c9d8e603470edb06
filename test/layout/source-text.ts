// Reads TypeScript as text, as far as the layout tests need it: what is code and what is not, which modules a file
// imports, and the bodies of functions that are tagged as hot. TypeScript 7 has no compiler API to ask instead.

export interface SourceFile {
  /** From the top of the repository, with slashes. */
  path: string;
  text: string;
  /** Comments blanked out; every character keeps its place. */
  uncommented: string;
  /** The insides of strings, templates and regular expressions blanked out as well. */
  code: string;
}

export interface ImportedModule {
  specifier: string;
  isTypeOnly: boolean;
  line: number;
}

export interface HotFunction {
  /** Line of the tag. */
  line: number;
  /** Offset in the text where the body begins, and the body itself; undefined where no body follows the tag. */
  bodyOffset: number;
  body: string | undefined;
}

export function readSource(path: string, text: string): SourceFile {
  return { path, text, ...maskSource(text) };
}

export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

const KEYWORD_BEFORE_VALUE = /\b(return|typeof|case|in|of|do|else|void|delete|throw|new|await|yield)$/;

/** Where a comment, a text, a template, a regular expression or a block may begin or end. */
const TOKEN_START = /["'`/{}]/g;

/** One pass over the text; each token is copied, or blanked with its line ends kept. */
function maskSource(text: string): { uncommented: string; code: string } {
  let uncommented = '';
  let code = '';
  /** For every open brace: whether it is the ${ of a template, which goes on after the brace that closes it. */
  const braces: boolean[] = [];
  let offset = 0;

  const take = (limit: number, isComment: boolean, isCode: boolean) => {
    const piece = text.slice(offset, limit);
    const blank = piece.replace(/[^\n]/g, ' ');
    uncommented += isComment ? blank : piece;
    code += isCode ? piece : blank;
    offset = limit;
  };
  const takeTemplate = () => {
    let limit = offset;
    while (limit < text.length && text[limit] !== '`' && !text.startsWith('${', limit))
      limit += text[limit] === '\\' ? 2 : 1;
    take(limit, false, false);
    if (text[limit] === '`') return take(limit + 1, false, true);
    braces.push(true);
    take(limit + 2, false, true);
  };

  while (offset < text.length) {
    const rest = text.slice(offset, offset + 2);
    const character = rest[0];
    if (rest === '//') {
      take(endOf(text, '\n', offset), true, false);
    } else if (rest === '/*') {
      take(endOf(text, '*/', offset + 2) + 2, true, false);
    } else if (character === '"' || character === "'") {
      const limit = endOfQuoted(text, offset, character);
      take(offset + 1, false, true);
      take(limit - 1, false, false);
      take(limit, false, true);
    } else if (character === '`') {
      take(offset + 1, false, true);
      takeTemplate();
    } else if (character === '/' && isValueExpected(code)) {
      take(endOfRegExp(text, offset), false, false);
    } else if (character === '{' || character === '}') {
      if (character === '{') braces.push(false);
      const closesTemplate = character === '}' && braces.pop() === true;
      take(offset + 1, false, true);
      if (closesTemplate) takeTemplate();
    } else {
      TOKEN_START.lastIndex = offset + 1;
      take(TOKEN_START.exec(text)?.index ?? text.length, false, true);
    }
  }
  return { uncommented, code };
}

function endOf(text: string, mark: string, start: number): number {
  const found = text.indexOf(mark, start);
  return found < 0 ? text.length : found;
}

function endOfQuoted(text: string, start: number, quote: string): number {
  let limit = start + 1;
  while (limit < text.length && text[limit] !== quote) limit += text[limit] === '\\' ? 2 : 1;
  return limit + 1;
}

function endOfRegExp(text: string, start: number): number {
  let isInClass = false;
  let limit = start + 1;
  while (limit < text.length && (isInClass || text[limit] !== '/')) {
    if (text[limit] === '[') isInClass = true;
    if (text[limit] === ']') isInClass = false;
    limit += text[limit] === '\\' ? 2 : 1;
  }
  return limit + 1;
}

/** Whether what was read so far ends where a value must begin, so that a slash is not a division. */
function isValueExpected(code: string): boolean {
  const before = code.slice(-80).trimEnd();
  return before === '' || /[=(,:[!&|?{};+\-*%<>~^]$/.test(before) || KEYWORD_BEFORE_VALUE.test(before);
}

const IMPORT_PATTERNS = [
  /\b(?:import|export)\s+(?<type>type\s)?[^'"`;]*?\bfrom\s*['"](?<specifier>[^'"]+)['"]/g,
  /\bimport\s*['"](?<specifier>[^'"]+)['"]/g,
  /\bimport\(\s*['"](?<specifier>[^'"]+)['"]/g,
  // How a worker is named.
  /\bnew URL\(\s*['"](?<specifier>\.[^'"]+\.js)['"]/g,
];

export function findImports({ uncommented }: SourceFile): ImportedModule[] {
  return IMPORT_PATTERNS.flatMap((pattern) =>
    [...uncommented.matchAll(pattern)].map(({ index, groups }) => ({
      specifier: groups!.specifier,
      isTypeOnly: groups!.type !== undefined,
      line: lineAt(uncommented, index),
    })),
  );
}

export function findHotFunctions({ text, code }: SourceFile): HotFunction[] {
  return [...text.matchAll(/\/\*\*(?:[^*]|\*(?!\/))*@hot\b(?:[^*]|\*(?!\/))*\*\//g)].map((match) => {
    const line = lineAt(text, match.index);
    const [bodyOffset, bodyLimit] = findBody(code, match.index + match[0].length);
    return { line, bodyOffset, body: bodyOffset < 0 ? undefined : code.slice(bodyOffset, bodyLimit) };
  });
}

/** Where the body of the function begins and ends that is declared at `start`. */
function findBody(code: string, start: number): [number, number] {
  const parameters = code.indexOf('(', start);
  const otherEnd = code.slice(start).search(/[;{}]/);
  if (parameters < 0 || (otherEnd >= 0 && start + otherEnd < parameters)) return [-1, -1];
  let offset = closeOf(code, parameters);
  while (offset < code.length) {
    const isTypeAhead = /:\s*$/.test(code.slice(start, offset));
    if (code[offset] === ';' || code[offset] === '}') return [-1, -1];
    if (code[offset] === '{' && !isTypeAhead) return [offset + 1, closeOf(code, offset) - 1];
    if (code.startsWith('=>', offset) && !/^=>\s*\{/.test(code.slice(offset))) {
      return [offset + 2, endOf(code, ';', offset)];
    }
    offset = '([{'.includes(code[offset]) ? closeOf(code, offset) : offset + 1;
  }
  return [-1, -1];
}

/** One past the bracket that closes the one at `open`. */
function closeOf(code: string, open: number): number {
  let depth = 0;
  for (let offset = open; offset < code.length; offset++) {
    if ('([{'.includes(code[offset])) depth++;
    if (')]}'.includes(code[offset]) && --depth === 0) return offset + 1;
  }
  return code.length;
}
