/** Something that must hold did not. */
export class Violation extends Error {
  constructor(
    readonly invariant: string,
    detail: string,
  ) {
    super(`${invariant}: ${detail}`);
  }
}

export function require(isTrue: boolean, invariant: string, detail: () => string): void {
  if (!isTrue) throw new Violation(invariant, detail());
}
