/** A short version of `deno task fault-injection`: some damaged files of each kind. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import {
  checkFinished,
  trainOnce,
  writeRunConfig,
} from "@/development/fault_injection/kill_run.ts";
import { runMutations } from "@/development/fault_injection/mutation_job.ts";
import {
  type FaultReport,
  formatFaultReport,
  isGood,
} from "@/development/fault_injection/fault_report.ts";
import { copySubjects, SUBJECTS } from "@/development/fault_injection/subjects.ts";
import { tryMutations } from "@/development/fault_injection/try_mutations.ts";

const root = await Deno.makeTempDir({ prefix: "damage-" });
globalThis.addEventListener("unload", () => Deno.removeSync(root, { recursive: true }));
const run = join(root, "run");
const nowMs = () => performance.now();

Deno.test("creates a finished run to damage", async () => {
  const config = await writeRunConfig(root, { executor: "onnx" });
  checkFinished(await trainOnce(run, { config, killMs: null, nowMs }));
});

for (const subject of SUBJECTS) {
  Deno.test(`damage to ${subject} causes a clear error or a correct result (40 cases)`, async () => {
    const folder = join(root, subject);
    await copySubjects(run, folder);
    const job = { subject, folder, seed: 20, first: 0, end: 40 };
    const outcomes = await Array.fromAsync(runMutations(job));
    deepStrictEqual(outcomes.map(({ index }) => index), Array.from({ length: 40 }, (_, i) => i));
    const bad = outcomes.filter(({ verdict }) => verdict !== "correct" && verdict !== "refused");
    deepStrictEqual(bad, []);
    // if a checkpoint is damaged, the previous one is used
    if (subject !== "checkpoint") ok(outcomes.some(({ verdict }) => verdict === "refused"));
  });
}

/** A program that exits at case 1, hangs at 3, exceeds the memory limit at 5 and reports 6 as wrong. */
const PROGRAM = `
const { first, end } = await new Response(Deno.stdin.readable).json();
for (let index = first; index < end; index++) {
  if (index === 1) { console.error("memory allocation failed"); Deno.exit(134); }
  if (index === 3) await new Promise((resolve) => setTimeout(resolve, 60_000));
  const verdict = index === 6 ? "wrong" : index % 2 === 0 ? "correct" : "refused";
  const peakMiB = index === 5 ? 2000 : 10;
  console.log("output of a library");
  console.log(JSON.stringify({ index, what: "x", verdict, message: "m", peakMiB, grownMiB: 0 }));
  if (index === 5) await new Promise((resolve) => setTimeout(resolve, 60_000));
}
`;

Deno.test("tryMutations() counts processes that crash, hang or exceed a limit, and continues", async () => {
  const program = join(root, "program.ts");
  await Deno.writeTextFile(program, PROGRAM);
  const done: number[] = [];
  const tally = await tryMutations("parquet", {
    run,
    folder: join(root, "tried"),
    seed: 1,
    cases: 9,
    limits: { memoryMiB: 1024, caseMs: 2000, startMs: 20_000 },
    program,
    onCase: (count) => done.push(count),
  });
  deepStrictEqual(tally, {
    ...{ subject: "parquet", cases: 9, correct: 4, refused: 1, peakMiB: 2000 },
    bad: [
      {
        index: 1,
        what: "case 1",
        message: "crashed: code 134: memory allocation failed",
      },
      { index: 3, what: "case 3", message: "hung" },
      {
        index: 5,
        what: "x",
        message: "used too much memory: 2000 MiB resident, 0 MiB more reserved (refused)",
      },
      { index: 6, what: "x", message: "wrong: m" },
    ],
  });
  deepStrictEqual(done, [1, 3, 5, 6, 7, 8, 9]);
});

Deno.test("isGood() is true only if no check has failed", () => {
  const state = { started: true, metricsLines: 3, checkpoints: [4] };
  const kill = { killMs: 1, state, same: true };
  const diskFaults = {
    what: "a disk of 0 KiB",
    error: "error: Cannot write run/a",
    checkpoints: [],
  };
  const tally = {
    subject: "parquet",
    cases: 1000,
    correct: 9,
    refused: 991,
    peakMiB: 10.4,
  } as const;
  const good: FaultReport = {
    ...{ seed: 1, where: "here", durationMs: 1234 },
    kills: [kill, { ...kill, state: { ...state, started: false } }],
    diskFaults: [{ ...diskFaults, good: true }],
    tallies: [{ ...tally, bad: [] }],
  };
  strictEqual(isGood(good), true);
  strictEqual(isGood({ ...good, diskFaults: null }), true);
  strictEqual(isGood({ ...good, kills: [{ ...kill, same: false }] }), false);
  strictEqual(isGood({ ...good, diskFaults: [{ ...diskFaults, good: false }] }), false);
  const bad = [{ index: 1, what: "x", message: "hung" }];
  strictEqual(isGood({ ...good, tallies: [{ ...tally, bad }] }), false);
  const text = formatFaultReport({ ...good, tallies: [{ ...tally, bad }] });
  ok(text.includes("**2 of 2** ended with the metrics"), text);
  ok(text.includes("| parquet | 1,000 | 991 | 9 | 1 | 10 |"), text);
  ok(text.includes("- parquet: x: hung"), text);
});
