// Names a thread for the tools of the system: `top -H -p PID`, perf and the benches show which thread uses the processor.

import { writeFileSync } from 'node:fs';

/** Linux keeps 15 bytes of it. Of this thread; what it starts later inherits the name. */
export function nameThread(name: string): void {
  try {
    writeFileSync('/proc/thread-self/comm', name);
  } catch {
    // No Linux, or no /proc: the thread works without a name.
  }
}
