/**
 * Cache of the open runs of a server. A run is opened on its first request; the least recently used ones are closed
 * when too many are open.
 * @module
 */

import { createModelService, type ModelService } from "./model_service.ts";
import { type DemoRun, openDemoRun, type OpenModel } from "./open_demo_run.ts";
import type { EngineQueue } from "./engine_queue.ts";

/** Largest number of open runs besides the default run. */
const MAX_OPEN = 2;

/** Run that requests can name. */
export type ListedRun = {
  /** Unique name used in requests. */
  readonly name: string;
  readonly folder: string;
};

/** Options of {@link createRunCache}. */
type RunCacheOptions<R> = {
  /** Lists all current runs, the default one first. */
  readonly list: () => Promise<readonly ListedRun[]>;
  /** Opens the run in a folder. */
  readonly open: (folder: string) => Promise<R>;
  /** Frees the resources of an open run. */
  readonly close: (run: R) => Promise<void> | void;
};

/** Runs by name, opened on demand. */
export type RunCache<R> = {
  /** Names of all runs, the default one first. */
  names(): Promise<readonly string[]>;
  /** Calls `work` with a run, which stays open until `work` is done. */
  use<T>(name: string, work: (run: R) => Promise<T>): Promise<T>;
};

/** Thrown if there is no run of the requested name. */
export class UnknownRunError extends Error {
  override readonly name = "UnknownRunError";
}

/** Thrown if a run cannot be opened; the cause is the original error. */
export class BrokenRunError extends Error {
  override readonly name = "BrokenRunError";
}

type Entry<R> = { readonly run: Promise<R>; users: number };

/** Creates a cache without open runs. */
export function createRunCache<R>({ list, open, close }: RunCacheOptions<R>): RunCache<R> {
  const entries = new Map<string, Entry<R>>(); // least recently used first

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
      if (entries.size <= MAX_OPEN) return;
      if (entry.users > 0) continue;
      entries.delete(folder);
      entry.run.then(close, () => {}); // a run that failed to open holds no resources
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
            if (entries.get(folder) === entry) entries.delete(folder); // so that the next request tries again
            throw new BrokenRunError(
              `Cannot open run ${name}: see the server's terminal for the reason`,
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

/** Run that answers requests. */
export type ServedRun = {
  readonly service: ModelService;
  /** Report and card as complete HTML pages; null if the run has none. */
  readonly report: string | null;
  readonly card: string | null;
};

/** Wraps a run whose model is open for the server. */
export function serveRun(run: DemoRun, engineQueue: EngineQueue): ServedRun {
  const { report, card } = run;
  return { service: createModelService(run, engineQueue), report, card };
}

/**
 * Creates a cache of runs that share `engineQueue`. Models are opened and closed only while the engine is idle, because a
 * batch can still be running after its request has ended.
 */
export function createServedRuns(
  { list, open, engineQueue }: {
    readonly list: () => Promise<readonly ListedRun[]>;
    readonly open: OpenModel;
    readonly engineQueue: EngineQueue;
  },
): RunCache<ServedRun> {
  type Opened = ServedRun & { readonly run: DemoRun };
  return createRunCache<Opened>({
    list,
    open: async (folder) => {
      const run = await engineQueue.runExclusive(() => openDemoRun(folder, open));
      return { run, ...serveRun(run, engineQueue) };
    },
    close: ({ run: { model } }) =>
      engineQueue.runExclusive(() => Promise.resolve(model[Symbol.dispose]())),
  });
}
