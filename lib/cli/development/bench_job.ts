/**
 * Runs one measurement in a separate process. `deno task bench` starts it and passes a job as JSON on stdin.
 * @module
 */
import type { Job } from "@/development/bench/job.ts";
import { runJob } from "@/development/bench/run_job.ts";

if (import.meta.main) {
  const job = await new Response(Deno.stdin.readable).json() as Job;
  console.log(JSON.stringify(await runJob(job, () => performance.now())));
  Deno.exit(0); // without waiting for remaining threads
}
