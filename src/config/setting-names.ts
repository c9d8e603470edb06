// One name, three spellings: camelCase in the code and in files, kebab-case as a flag, and upper case in the environment.

export function kebabName(name: string): string {
  return name.replace(/(?<!^)[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
}

export function camelName(kebab: string): string {
  return kebab.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

export const ENVIRONMENT_PREFIX = 'TESSERA_';

export function environmentName(kebab: string): string {
  return ENVIRONMENT_PREFIX + kebab.replaceAll('-', '_').toUpperCase();
}

/** Levenshtein, with a swap of neighbours as one edit. */
export function editDistance(source: string, target: string): number {
  const rows: number[][] = [Array.from({ length: target.length + 1 }, (_, column) => column)];
  for (let i = 1; i <= source.length; i++) {
    const row = [i];
    for (let j = 1; j <= target.length; j++) {
      const replaced = rows[i - 1][j - 1] + (source[i - 1] === target[j - 1] ? 0 : 1);
      row[j] = Math.min(replaced, rows[i - 1][j] + 1, row[j - 1] + 1);
      const swapped = i > 1 && j > 1 && source[i - 1] === target[j - 2] && source[i - 2] === target[j - 1];
      if (swapped) row[j] = Math.min(row[j], rows[i - 2][j - 2] + 1);
    }
    rows.push(row);
  }
  return rows[source.length][target.length];
}
