/**
 * Run as the server offers it: the model as a service, the report and the model card.
 * @module
 */
import { createModelService, type ModelService } from "./model_service.ts";
import { type DemoRun, openDemoRun, type OpenModel } from "./open_demo_run.ts";
import { createRunCache, type ListedRun, type RunCache } from "./run_cache.ts";
import type { EngineQueue } from "./engine_queue.ts";

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
