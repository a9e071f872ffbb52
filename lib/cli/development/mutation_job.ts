/**
 * Reads damaged files in a separate process. `deno task fault-injection` starts it, passes a job as JSON on stdin and reads
 * one outcome per line.
 * @module
 */
import { type MutationJob, runMutations } from "@/development/fault_injection/mutation_job.ts";

if (import.meta.main) {
  const job = await new Response(Deno.stdin.readable).json() as MutationJob;
  for await (const outcome of runMutations(job)) console.log(JSON.stringify(outcome));
  Deno.exit(0); // without waiting for remaining threads
}
