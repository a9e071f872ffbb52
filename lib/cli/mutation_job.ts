/**
 * Damaged files read in a process of its own: `deno task torture` starts it, with a job as JSON on stdin,
 * and reads an outcome a line.
 * @module
 */
import { type MutationJob, runMutations } from "@/fault_injection/mutation_job.ts";

if (import.meta.main) {
  const job = await new Response(Deno.stdin.readable).json() as MutationJob;
  for await (const outcome of runMutations(job)) console.log(JSON.stringify(outcome));
  Deno.exit(0); // at once, whatever threads are left
}
