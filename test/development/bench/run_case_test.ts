import { deepStrictEqual, match, rejects, strictEqual } from "node:assert/strict";
import { type BenchInputs, type Case, makeCases } from "@/development/bench/benchmarks.ts";
import { findTorch, runJobInProcess, type Runner } from "@/development/bench/runners.ts";
import type { Computation, Job, JobOutcome } from "@/development/bench/job.ts";
import { OPERATIONS } from "@/development/bench/operations.ts";
import { type OwnVariant, runCase } from "@/development/bench/run_case.ts";

const NOTHING: BenchInputs = {
  encode: () => Promise.resolve({ model: "m", texts: "t" }),
  epoch: () => Promise.reject(new Error("not asked for")),
};
const TORCH = { python: "python", versions: { torch: "2.13.0", transformers: "4.57.1" } };

const COMPUTATION: Computation = {
  device: "cpu",
  precision: "float32",
  threads: 2,
  executor: "auto",
  isa: null,
  library: null,
};

async function stepCase(rounds: number): Promise<Case> {
  const [found] = await makeCases("step-mini", { rounds, steps: 1, profile: true }, NOTHING);
  if (found === undefined) throw new Error("no case");
  return found;
}

/** Runs a case with simulated processes whose durations are `times`, in order of execution. */
async function runWith(
  each: Case,
  time: (name: string, job: Job) => number | Error,
  torch: typeof TORCH | null = TORCH,
  variants: readonly OwnVariant[] = [],
) {
  const turns: string[] = [], notes: string[] = [], jobs: Job[] = [];
  const results = await runCase(each, {
    computation: COMPUTATION,
    variants,
    torch,
    onTurn: ({ runner, done, total }) => turns.push(`${done}/${total} ${runner}`),
    onNote: (note) => notes.push(note),
    run: ({ name }: Runner, job): Promise<JobOutcome> => {
      jobs.push(job);
      const ms = time(name, job);
      if (ms instanceof Error) return Promise.reject(ms);
      const measurement = { label: "", timesMs: [ms], details: {} };
      return Promise.resolve({
        executor: "onnx",
        version: "1",
        peakMiB: 1,
        measurements: [measurement],
      });
    },
  });
  return { results, turns, notes, jobs };
}

Deno.test("runCase() rotates the order of the runners each round", async () => {
  const times: Record<string, number> = {
    ours: 20,
    "ours without dropout": 19,
    eager: 16,
    compiled: 40,
  };
  const { results, turns, jobs } = await runWith(await stepCase(2), (name) => times[name] ?? NaN);
  deepStrictEqual(turns, [
    "0/8 ours",
    "1/8 ours without dropout",
    "2/8 eager",
    "3/8 compiled",
    "4/8 ours without dropout",
    "5/8 eager",
    "6/8 compiled",
    "7/8 ours",
    "8/8 ",
  ]);
  deepStrictEqual(jobs.map(({ work }) => work.kind === "step" && work.dropout), [
    ...[0.1, 0, 0.1, 0.1],
    ...[0, 0.1, 0.1, 0.1],
  ]);
  const [result] = results;
  deepStrictEqual(
    [result?.torch?.variant, result?.ratio, result?.shape],
    ["eager", 1.25, "2x32x64"], // 20 / 16
  );
  strictEqual(result?.details.dropoutShare?.toFixed(6), "0.050000"); // 1 − 19 / 20
});

Deno.test("runCase() measures alternative settings beside the main ones, one result each", async () => {
  const isa = (name: Computation["isa"]) => ({ ...COMPUTATION, isa: name });
  const { results, turns, jobs } = await runWith(
    await stepCase(1),
    (name) => name === "ours" ? 20 : name === "ours, native.isa=avx2" ? 30 : 40,
    TORCH,
    [{ name: "native.isa=avx2", computation: isa("avx2") }],
  );
  deepStrictEqual(turns.slice(0, 5), [
    "0/5 ours",
    "1/5 ours without dropout",
    "2/5 ours, native.isa=avx2",
    "3/5 eager",
    "4/5 compiled",
  ]);
  deepStrictEqual(jobs.map(({ computation }) => computation.isa), [null, null, "avx2", null, null]);
  deepStrictEqual(
    jobs.map(({ work }) => work.kind === "step" && work.profile),
    [true, false, false, false, false],
  );
  deepStrictEqual(
    results.map(({ settings, ours, ratio }) => [settings, ours.medianMs, ratio]),
    [["", 20, 0.5], ["native.isa=avx2", 30, 0.75]],
  );
});

Deno.test("runCase() drops a PyTorch variant that fails, with a note", async () => {
  const { results, notes, turns } = await runWith(
    await stepCase(2),
    (name) => name === "compiled" ? new Error("no C++ compiler") : 10,
  );
  deepStrictEqual(notes, ["PyTorch compiled is skipped in step-mini: no C++ compiler"]);
  strictEqual(turns.filter((turn) => turn.endsWith("compiled")).length, 1);
  deepStrictEqual(results[0]?.torchAll.map(({ variant }) => variant), ["eager"]);
});

Deno.test("runCase() fails if our program fails, and works without PyTorch", async () => {
  const each = await stepCase(1);
  await rejects(runWith(each, () => new Error("out of memory")), { message: "out of memory" });
  const { results } = await runWith(each, () => 5, null);
  deepStrictEqual([results[0]?.torch, results[0]?.ratio], [null, null]);
});

Deno.test("makeCases() returns steps with the documented shapes", async () => {
  const shapes = [];
  for (const name of ["step-mini", "step-base"] as const) {
    for (
      const { ours } of await makeCases(name, { rounds: null, steps: 3, profile: false }, NOTHING)
    ) {
      if (ours.kind === "step") shapes.push([ours.model, ours.steps.length, ours.steps[0]]);
    }
  }
  const mini = { rows: 32, length: 64, tokens: 2048 },
    base = { rows: 16, length: 64, tokens: 1024 };
  deepStrictEqual(shapes, [
    [{ hiddenSize: 384, layers: 6, attentionHeads: 12, intermediateSize: 1536 }, 3, [mini, mini]],
    [{ hiddenSize: 768, layers: 12, attentionHeads: 12, intermediateSize: 3072 }, 3, [base, base]],
  ]);
});

Deno.test("OPERATIONS count their work: 2·m·k·n for a matrix product, minimum bytes moved otherwise", () => {
  const work = new Map(OPERATIONS.map(({ label, work }) => [label, work]));
  strictEqual(work.get("mini intermediate 2048×384 · 384×1536ᵀ"), 2 * 2048 * 384 * 1536);
  strictEqual(work.get("mini attention scores 384× 64×32 · 32×64ᵀ"), 384 * 2 * 64 * 32 * 64);
  strictEqual(work.get("gather 2048 of 30522×384"), 4 * 2 * 2048 * 384);
  strictEqual(work.get("scatter 2048 of 30522×384"), 4 * (2048 + 30522) * 384);
  strictEqual(work.size, OPERATIONS.length, "labels tell operations apart");
});

Deno.test("runJobInProcess() returns the outcome of a process or throws its last error line", async () => {
  const script = (code: string): Runner => ({
    name: "fake",
    command: [Deno.execPath(), "eval", code],
  });
  const job: Job = {
    work: { kind: "operations", operations: [], runs: 1 },
    computation: { ...COMPUTATION, threads: 3 },
  };
  const outcome = await runJobInProcess(
    script(`const { computation: { threads } } = await new Response(Deno.stdin.readable).json();
      console.log(JSON.stringify({ executor: "e", version: "v", peakMiB: threads, measurements: [] }))`),
    job,
  );
  strictEqual(outcome.peakMiB, 3); // the process received the job
  await rejects(
    runJobInProcess(script(`console.error("warning\\nno memory"); Deno.exit(3)`), job),
    (error: Error) => {
      match(error.message, /exited with code 3 and the error "no memory"$/);
      return true;
    },
  );
});

Deno.test("findTorch() returns the reason if PyTorch is not available", async () => {
  const before = Deno.env.get("PYTHON");
  Deno.env.set("PYTHON", "no-such-python");
  try {
    strictEqual(
      await findTorch(),
      "PyTorch is skipped: Cannot measure: no program no-such-python; " +
        "set PYTHON to an interpreter with torch and transformers",
    );
  } finally {
    if (before === undefined) Deno.env.delete("PYTHON");
    else Deno.env.set("PYTHON", before);
  }
});
