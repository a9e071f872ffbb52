/**
 * Work that ends when it is interrupted, and not when it would have been done.
 * @module
 */

/** Throws what `explain` makes, an error or its message, once `signal` is aborted. */
export function checkInterrupt(
  signal: AbortSignal | undefined,
  explain: () => Error | string,
): void {
  if (signal?.aborted === true) throw toError(explain());
}

/**
 * What `work` gives. Once `signal` is aborted it throws what `explain` makes, and what the work gives
 * afterwards goes to `discard`.
 */
export async function untilInterrupt<T>(
  work: Promise<T>,
  { signal, explain, discard }: {
    readonly signal: AbortSignal | undefined;
    readonly explain: () => Error | string;
    readonly discard: (late: T) => void;
  },
): Promise<T> {
  if (signal === undefined) return await work;
  const interrupted = Promise.withResolvers<never>();
  const stop = () => interrupted.reject(toError(explain()));
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

const toError = (reason: Error | string): Error =>
  typeof reason === "string" ? new Deno.errors.Interrupted(reason) : reason;
