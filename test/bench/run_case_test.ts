import { deepStrictEqual, match, rejects, strictEqual } from "node:assert/strict";
import { type Case, makeCases, type Materials } from "@/bench/benchmarks.ts";
import { type Contestant, findTorch, runContestant } from "@/bench/contestants.ts";
import type { Computation, Job, JobOutcome } from "@/bench/job.ts";
import { OPERATIONS } from "@/bench/operations.ts";
import { type OwnVariant, runCase } from "@/bench/run_case.ts";

const NOTHING: Materials = {
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

/** Runs a case with processes that take as long as `times` says, in order of their turns. */
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
    onTurn: ({ contestant, done, total }) => turns.push(`${done}/${total} ${contestant}`),
    onNote: (note) => notes.push(note),
    run: ({ name }: Contestant, job): Promise<JobOutcome> => {
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

Deno.test("runCase() lets contestants take turns, each round beginning with the next", async () => {
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

Deno.test("runCase() lets ways of computing take turns with the plain one, a result each", async () => {
  const isa = (name: string | null) => ({ ...COMPUTATION, isa: name });
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

Deno.test("runCase() leaves out a PyTorch variant that fails and says so", async () => {
  const { results, notes, turns } = await runWith(
    await stepCase(2),
    (name) => name === "compiled" ? new Error("no C++ compiler") : 10,
  );
  deepStrictEqual(notes, ["PyTorch compiled is left out of step-mini: no C++ compiler"]);
  strictEqual(turns.filter((turn) => turn.endsWith("compiled")).length, 1);
  deepStrictEqual(results[0]?.torchAll.map(({ variant }) => variant), ["eager"]);
});

Deno.test("runCase() fails where ours fails, and does without PyTorch where it is not installed", async () => {
  const each = await stepCase(1);
  await rejects(runWith(each, () => new Error("out of memory")), { message: "out of memory" });
  const { results } = await runWith(each, () => 5, null);
  deepStrictEqual([results[0]?.torch, results[0]?.ratio], [null, null]);
});

Deno.test("makeCases() gives steps of the contract's shapes", async () => {
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

Deno.test("operations count their work: 2·m·k·n for a product, bytes moved at least elsewhere", () => {
  const work = new Map(OPERATIONS.map(({ label, work }) => [label, work]));
  strictEqual(work.get("mini intermediate 2048×384 · 384×1536ᵀ"), 2 * 2048 * 384 * 1536);
  strictEqual(work.get("mini attention scores 384× 64×32 · 32×64ᵀ"), 384 * 2 * 64 * 32 * 64);
  strictEqual(work.get("gather 2048 of 30522×384"), 4 * 2 * 2048 * 384);
  strictEqual(work.get("scatter 2048 of 30522×384"), 4 * (2048 + 30522) * 384);
  strictEqual(work.size, OPERATIONS.length, "labels tell operations apart");
});

Deno.test("runContestant() gives the outcome of a process, or its last words", async () => {
  const script = (code: string): Contestant => ({
    name: "fake",
    command: [Deno.execPath(), "eval", code],
  });
  const job: Job = {
    work: { kind: "operations", operations: [], runs: 1 },
    computation: { ...COMPUTATION, threads: 3 },
  };
  const outcome = await runContestant(
    script(`const { computation: { threads } } = await new Response(Deno.stdin.readable).json();
      console.log(JSON.stringify({ executor: "e", version: "v", peakMiB: threads, measurements: [] }))`),
    job,
  );
  strictEqual(outcome.peakMiB, 3); // the job came through
  await rejects(
    runContestant(script(`console.error("warning\\nno memory"); Deno.exit(3)`), job),
    (error: Error) => {
      match(error.message, /must end well: it ended with code 3 and the words "no memory"$/);
      return true;
    },
  );
});

Deno.test("findTorch() says why PyTorch is left out", async () => {
  const before = Deno.env.get("PYTHON");
  Deno.env.set("PYTHON", "no-such-python");
  try {
    strictEqual(
      await findTorch(),
      "PyTorch is left out: Cannot measure as no-such-python must be a program: not found; " +
        "name an interpreter that has torch and transformers in PYTHON",
    );
  } finally {
    if (before === undefined) Deno.env.delete("PYTHON");
    else Deno.env.set("PYTHON", before);
  }
});
