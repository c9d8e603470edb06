/** What the thread that renews the lock of a data folder is told when it starts. */
export interface LockThreadData {
  path: string;
  /** The lock's text while it is ours. */
  text: string;
  renewMs: number;
}
