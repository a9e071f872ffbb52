/**
 * The runs that a server shows: the one it was started with, and others that are opened when they are first
 * asked for and closed when too many are open.
 * @module
 */

/** Number of other runs that stay open. */
const MOST_OPEN = 2;

/** A run that can be asked for. */
export type ListedRun = {
  /** Its name in requests; different for each run. */
  readonly name: string;
  readonly folder: string;
};

/** What a library needs. */
export type LibraryOptions<R> = {
  /** All runs as they are now, the default one first. */
  readonly list: () => Promise<readonly ListedRun[]>;
  /** Opens the run in a folder. */
  readonly open: (folder: string) => Promise<R>;
  /** Frees what an opened run holds. */
  readonly close: (run: R) => Promise<void> | void;
};

/** Opened runs by name. */
export type RunLibrary<R> = {
  /** Names of all runs, the default one first. */
  names(): Promise<readonly string[]>;
  /** Does `work` with a run, which stays open meanwhile. */
  use<T>(name: string, work: (run: R) => Promise<T>): Promise<T>;
};

/** The refusal of a name that no run has. */
export class UnknownRunError extends Error {
  override readonly name = "UnknownRunError";
}

/** The refusal of a run that cannot be opened, with the reason as its cause. */
export class BrokenRunError extends Error {
  override readonly name = "BrokenRunError";
}

type Entry<R> = { readonly run: Promise<R>; users: number };

/** A library in which no run is open yet. */
export function createRunLibrary<R>({ list, open, close }: LibraryOptions<R>): RunLibrary<R> {
  const entries = new Map<string, Entry<R>>(); // the least recently used first

  const find = async (name: string): Promise<string> => {
    const runs = await list();
    const found = runs.find((run) => run.name === name);
    if (found !== undefined) return found.folder;
    throw new UnknownRunError(
      `There is no run ${JSON.stringify(name.slice(0, 100))}: choose one of ${
        runs.map((run) => run.name).join(", ")
      }`,
    );
  };
  const closeUnused = () => {
    for (const [folder, entry] of entries) {
      if (entries.size <= MOST_OPEN) return;
      if (entry.users > 0) continue;
      entries.delete(folder);
      entry.run.then(close, () => {}); // a run that could not be opened holds nothing
    }
  };
  return {
    names: async () => (await list()).map(({ name }) => name),
    async use(name, work) {
      const folder = await find(name);
      const entry = entries.get(folder) ?? { run: open(folder), users: 0 };
      entries.delete(folder);
      entries.set(folder, entry);
      entry.users++;
      closeUnused();
      try {
        return await work(
          await entry.run.catch((error) => {
            if (entries.get(folder) === entry) entries.delete(folder); // the next request tries again
            throw new BrokenRunError(
              `Cannot open run ${name} as its model must be whole: see the server's terminal`,
              { cause: error },
            );
          }),
        );
      } finally {
        entry.users--;
        closeUnused();
      }
    },
  };
}
