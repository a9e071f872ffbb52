/**
 * `deno task sanitize`: runs generated C built with the compiler's sanitizers, over random graphs and training
 * steps, and measures the memory that released programs leave.
 * @module
 */
import { cpus } from "node:os";
import { type Options, parseInteger } from "@/cli/arguments.ts";
import { runTask, type Task } from "@/cli/run_task.ts";
import { POOLING_MODES } from "@/config/config.ts";
import { PRECISIONS } from "@/engine/options.ts";
import { writeFileAtomic } from "@/system/files.ts";
import { checkInterrupt } from "@/system/interrupt.ts";
import { findSanitizers } from "./find_sanitizers.ts";
import type { Releases } from "./measure_releases.ts";
import { formatRecord, isClean, type SanitizedWork, type SanitizerRecord } from "./record.ts";
import { checkPlanted, PLANTED, type PlantedName } from "./self_check.ts";
import { startJob } from "./start_job.ts";

const OPTIONS = {
  graphs: { type: "string", value: "N", help: "random graphs to run", default: "300" },
  programs: { type: "string", value: "N", help: "programs to release", default: "200" },
  seed: { type: "string", value: "N", help: "seed of the random graphs", default: "1" },
  out: { type: "string", value: "FILE", help: "also write the results to a Markdown file" },
} as const satisfies Options;

/** Passes the progress of a job through. */
const pass = (text: string) => void Deno.stderr.writeSync(new TextEncoder().encode(text));

/** The task `sanitize`. */
export const SANITIZE = {
  name: "sanitize",
  summary:
    "Builds the native runtime and its programs with AddressSanitizer and UBSan, has them find " +
    "planted faults, and runs training steps and random graphs; measures what released programs leave.",
  usage: "[--graphs N] [--programs N] [--seed N] [--out FILE]",
  options: OPTIONS,
  stopsItself: true,
  async run({ values, signal }) {
    const graphs = parseInteger("sanitize", "graphs", values.graphs, 1);
    const programs = parseInteger("sanitize", "programs", values.programs, 1);
    const seed = parseInteger("sanitize", "seed", values.seed);
    const sanitizers = findSanitizers();
    const cache = await Deno.makeTempDir({ prefix: "sanitize-" });
    const check = (next: string) =>
      checkInterrupt(signal, () => `Sanitizing was interrupted before ${next}`);
    try {
      const planted: { what: string; line: string }[] = [];
      console.log("building the runtime with the sanitizers takes some seconds");
      for (const [name, { what }] of Object.entries(PLANTED)) {
        check(what);
        const line = await checkPlanted(name as PlantedName, { sanitizers, cache });
        console.log(`planted: ${what}: ${line}`);
        planted.push({ what, line });
      }
      const works: SanitizedWork[] = [];
      const work = async (what: string, ...job: Parameters<typeof startJob>[0]) => {
        check(what);
        const { found, report } = await startJob(job, { sanitizers, cache, onProgress: pass });
        console.log(`${what}: ${report === "" ? "nothing reported" : `REPORTED\n${report}`}`);
        works.push({ what, report });
        return found;
      };
      const variants = PRECISIONS.length * POOLING_MODES.length;
      const steps = `training steps of a tiny BERT, ${variants} variants of precision and pooling`;
      await work(steps, "steps", variants);
      await work(`${graphs} random graphs, seed ${seed}`, "graphs", graphs, seed);
      const functions = Math.ceil(graphs / 3); // each is compiled at several sizes
      await work(
        `${functions} random functions of dynamic shape, seed ${seed}`,
        ...["functions", functions, seed] as const,
      );
      const releases = await work(`${programs} programs released`, "releases", programs);
      check("programs of an ordinary build");
      const ordinary = await startJob(["releases", programs], {
        sanitizers: null,
        cache,
        onProgress: pass,
      });
      if (ordinary.report !== "") console.log(`an ordinary build: ${ordinary.report}`);
      const record: SanitizerRecord = {
        command: `deno task sanitize --graphs ${graphs} --programs ${programs} --seed ${seed}`,
        where: `${sanitizers.compiler.version}, Deno ${Deno.version.deno}, ` +
          `${Deno.build.os} ${Deno.build.arch}, ${cpus()[0]?.model.trim() ?? "unknown processor"}`,
        planted,
        works,
        releases: releases as Releases | null,
        ordinary: ordinary.found as Releases | null,
      };
      for (const each of [record.releases, record.ordinary]) console.log(JSON.stringify(each));
      if (values.out !== undefined) await writeFileAtomic(values.out, formatRecord(record));
      return isClean(record);
    } finally {
      await Deno.remove(cache, { recursive: true });
    }
  },
} as const satisfies Task<typeof OPTIONS>;

if (import.meta.main) await runTask(SANITIZE);
