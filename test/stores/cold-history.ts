import type { ColdHeader, ColdStore } from '../../src/stores/store-ports.js';

/** All headers of an id, newest first: a search that wants none of them sees each. */
export async function listHistory(store: ColdStore, id: string): Promise<ColdHeader[]> {
  const headers: ColdHeader[] = [];
  await store.latest(id, (header) => {
    headers.push(header);
    return false;
  });
  return headers;
}
