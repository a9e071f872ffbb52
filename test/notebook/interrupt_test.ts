/** Effects of Jupyter's interrupt (SIGINT) on a real kernel that trains. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { type Kernel, type Listener, startKernel } from "@/notebook/kernel.ts";
import { TINY_MODEL } from "@/development/fault_injection/kill_run.ts";
import { inFolder } from "../train/tiny_run.ts";

const NOTEBOOKS = join(import.meta.dirname ?? "", "../../notebooks");

const FILE = {
  executor: "onnx",
  model: TINY_MODEL,
  training: { maxSteps: 100_000, epochs: 100_000, batchRows: 4, lengths: [32], logEvery: 1000 },
  data: { maxRows: 16 },
};

/** Executes a cell and interrupts the kernel at the first output that matches. */
function createExecutor(kernel: Kernel) {
  let cell = 0;
  return async (source: string, interruptAt: RegExp | null = null) => {
    let shown = "", waiting = interruptAt !== null;
    const listener: Listener = (type, content) => {
      if (type === "status" || type === "execute_input") return;
      shown += JSON.stringify(content);
      if (!waiting || !interruptAt?.test(shown)) return;
      waiting = false;
      kernel.interrupt();
    };
    const reply = await kernel.execute(source, { listener, cell: ++cell });
    strictEqual(waiting, false, `there is no ${interruptAt} in ${shown} ${reply.evalue}`);
    return { ...reply, shown };
  };
}

Deno.test({
  name: "an interrupt in Jupyter saves the run and leaves the kernel with its variables",
  ignore: Deno.build.os === "windows",
  fn: () =>
    inFolder(async (root) => {
      const late: unknown[] = [];
      const kernel = await startKernel(NOTEBOOKS, { onLateError: (error) => late.push(error) });
      try {
        const execute = createExecutor(kernel);
        const out = JSON.stringify(join(root, "run")), kept = JSON.stringify(join(root, "kept"));
        const start = await execute(`
import { openEngine } from "@/api/library.ts";
import { trainRuns } from "@/notebook/train_runs.ts";
import { resolveConfig } from "@/config/resolve_config.ts";
import { trainRun } from "@/train/train_run.ts";
Deno.env.set("STX_CACHE", "");
const config = resolveConfig({ file: ${JSON.stringify(FILE)} });
const options = { out: ${out}, nowMs: () => 0, environment: {}, onNote: console.log };
const variable = { killed: "yes" };
await openEngine({ executor: "onnx" });
let last = 0;
const onStep = ({ step }) => { last = step; if (step === 3) console.log("step three"); };`);
        strictEqual(start.status, "ok", start.evalue);
        kernel.interrupt(); // before anything was trained
        match((await execute("variable.killed")).shown, /yes/);

        const stopped = await execute(
          "await trainRun(config, { ...options, onStep });",
          /step three/,
        );
        deepStrictEqual([stopped.status, stopped.ename], ["error", "Interrupted"]);
        const step = Number(
          /^Training was interrupted after step (\d+) of 100000: it is saved in \S+checkpoint$/
            .exec(stopped.evalue)?.[1],
        );
        ok(step >= 3 && step < 100_000, stopped.evalue);

        const alive = await execute("variable.killed + last");
        match(alive.shown, new RegExp(`yes${step}`));
        const { status: found, shown: handles } = await execute(
          `Deno.build.os === "linux" ? [...Deno.readDirSync("/proc/self/fd")].map(({ name }) => {
  try { return Deno.readLinkSync("/proc/self/fd/" + name); } catch { return ""; }
}).filter((path) => path.startsWith(${JSON.stringify(root)})).length : 0`,
        );
        deepStrictEqual([found, /"text\/plain":"0"/.test(handles)], ["ok", true], handles);

        const resumed = await execute(`
const training = { ...config.training, maxSteps: last + 4 };
const summary = await trainRun({ ...config, training }, { ...options, resume: true });
summary.steps`);
        strictEqual(resumed.status, "ok", resumed.evalue);
        match(resumed.shown, new RegExp(`resuming from step ${step} of ${step + 4}`));
        match(resumed.shown, new RegExp(`"text/plain":"${step + 4}"`));

        // trainRuns() resumes when the cell is executed again
        const cell = `const runs = await trainRuns({
  small: { ...config, training: { ...config.training, maxSteps: 120, checkpointEvery: null } },
}, { folder: ${kept} });
runs[0].record.summary.steps`;
        const helper = await execute(cell, /small .{10,80}\b[1-9]\d*\/120/);
        match(
          helper.evalue,
          /^Training was interrupted after step \d+ of 120: execute the cell again to resume$/,
        );
        const again = await execute(
          cell.replace("const runs", "const more").replace("runs[", "more["),
        );
        strictEqual(again.status, "ok", again.evalue);
        match(again.shown, /"text\/plain":"120"/);

        await execute("await new Promise((done) => setTimeout(done, 300)); console.log('rest');");
        kernel.interrupt(); // while nothing runs
        match((await execute("variable.killed")).shown, /yes/);
        deepStrictEqual(late, []);
      } finally {
        await kernel.stop();
      }
    }),
});
