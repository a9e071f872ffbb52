/**
 * A run as the server shows it: its model as a service, its report and its model card.
 * @module
 */
import { createModelService, type ModelService } from "./model_service.ts";
import { type DemoRun, openDemoRun, type OpenModel } from "./open_demo_run.ts";
import { createRunLibrary, type ListedRun, type RunLibrary } from "./run_library.ts";
import type { WaitingRoom } from "./waiting_room.ts";

/** A run that answers. */
export type ServedRun = {
  readonly service: ModelService;
  /** Whole HTML pages; null: the run has none. */
  readonly report: string | null;
  readonly card: string | null;
};

/** A run whose model is open, as the server shows it. */
export function serveRun(run: DemoRun, room: WaitingRoom): ServedRun {
  const { report, card } = run;
  return { service: createModelService(run, room), report, card };
}

/**
 * A library of runs that share `room`. Models are opened and closed while the engine computes nothing: a batch may
 * outlive its request.
 */
export function createServedRuns(
  { list, open, room }: {
    readonly list: () => Promise<readonly ListedRun[]>;
    readonly open: OpenModel;
    readonly room: WaitingRoom;
  },
): RunLibrary<ServedRun> {
  type Opened = ServedRun & { readonly run: DemoRun };
  return createRunLibrary<Opened>({
    list,
    open: async (folder) => {
      const run = await room.inTurn(() => openDemoRun(folder, open));
      return { run, ...serveRun(run, room) };
    },
    close: ({ run: { model } }) => room.inTurn(() => Promise.resolve(model[Symbol.dispose]())),
  });
}
