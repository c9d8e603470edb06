// What a server keeps below its data folder, by the names that several parts of it use.

/** The embedded stores, one folder each, and the event spool. */
export const STORES_FOLDER = 'stores';
/** One folder per session. */
export const JOURNAL_FOLDER = 'journal';
