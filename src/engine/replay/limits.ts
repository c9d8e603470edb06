// Limits of the record that a tick leaves in the journal.

/** Room for the record of one tick, which grows where that is not enough: 2,000 commands of 30 bytes. */
export const JOURNAL_RECORD_BYTES_FIRST = 64 * 1024;
/** The largest entry but an arrival: its head and a payload of 255 bytes. */
export const JOURNAL_ENTRY_BYTES_MAX = 320;
