// The commands of `tessera`. Each is a module that reads process.argv and runs when it is loaded.

interface Command {
  summary: string;
  module: URL;
}

export const COMMANDS: Readonly<Record<string, Command>> = {
  start: { summary: 'starts a server', module: here('./cli.js') },
  dev: { summary: 'starts a server, and again whenever a file of the game is saved', module: here('./author/dev.js') },
  new: { summary: 'makes a folder with a small game to begin with', module: here('./author/new.js') },
  replay: {
    summary: 'plays a recorded session again and checks that it comes out the same',
    module: here('./replay.js'),
  },
  worlds: { summary: 'lists the worlds and snapshots that a start can go on from', module: here('./worlds.js') },
  backup: { summary: 'copies the data folder of a server, also while it runs', module: here('./backup.js') },
  loadtest: { summary: 'joins many clients and measures', module: here('../../../bench/load/cli.js') },
  drill: {
    summary: 'kills a server again and again and checks what it kept',
    module: here('../../../test/faults/drill/kill-drill.js'),
  },
  bench: { summary: 'measures parts of the engine', module: here('../../../bench/run.js') },
};

function here(path: string): URL {
  return new URL(path, import.meta.url);
}
