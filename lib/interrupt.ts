/**
 * Work that ends when it is interrupted, and not when it would have been done.
 * @module
 */

/** Raises what `explain` says once `signal` is aborted. */
export function checkInterrupt(signal: AbortSignal | undefined, explain: () => string): void {
  if (signal?.aborted === true) throw new Deno.errors.Interrupted(explain());
}

/**
 * What `work` gives; once `signal` is aborted an error that `explain` words, and what the work comes to
 * afterwards goes to `discard`.
 */
export async function untilInterrupt<T>(
  work: Promise<T>,
  { signal, explain, discard }: {
    readonly signal: AbortSignal | undefined;
    readonly explain: () => string;
    readonly discard: (late: T) => void;
  },
): Promise<T> {
  if (signal === undefined) return await work;
  const interrupted = Promise.withResolvers<never>();
  const stop = () => interrupted.reject(new Deno.errors.Interrupted(explain()));
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  let ended = false;
  try {
    work.then((late) => ended && discard(late), () => {}); // its own error comes too late as well
    return await Promise.race([work, interrupted.promise]);
  } finally {
    ended = signal.aborted;
    signal.removeEventListener("abort", stop);
    interrupted.promise.catch(() => {}); // nobody waits for it any more
  }
}
