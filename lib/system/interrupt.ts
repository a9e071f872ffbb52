/**
 * Interruption of asynchronous work.
 * @module
 */

/** Throws the error or message that `explain` returns if `signal` is aborted. */
export function checkInterrupt(
  signal: AbortSignal | undefined,
  explain: () => Error | string,
): void {
  if (signal?.aborted === true) throw toError(explain());
}

/**
 * Awaits `work`. If `signal` is aborted first, throws the error or message that `explain` returns, and passes the late
 * result of the work to `discard`.
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
    work.then((late) => ended && discard(late), () => {}); // a late error is ignored
    return await Promise.race([work, interrupted.promise]);
  } finally {
    ended = signal.aborted;
    signal.removeEventListener("abort", stop);
    interrupted.promise.catch(() => {}); // avoids an unhandled rejection
  }
}

/** The interface of the Jupyter kernel that runs this code; null outside a kernel, where reading it throws. */
export function findJupyter(): typeof Deno.jupyter | null {
  try {
    return Deno.jupyter ?? null;
  } catch {
    return null;
  }
}

let next: AbortController | null = null;

/**
 * In a Jupyter kernel, a signal that is aborted at the kernel's next interrupt; undefined elsewhere. Jupyter interrupts
 * with SIGINT, which normally ends Deno's kernel and loses all variables; after the first call it no longer does.
 */
export function nextKernelInterrupt(): AbortSignal | undefined {
  if (next === null) {
    if (findJupyter() === null) return undefined;
    Deno.addSignalListener("SIGINT", () => {
      const interrupted = next;
      next = new AbortController();
      interrupted?.abort();
    });
    next = new AbortController();
  }
  return next.signal;
}

/** A signal that is aborted by `signal` or the kernel's next interrupt; undefined if there is neither. */
export function joinInterrupts(signal: AbortSignal | undefined): AbortSignal | undefined {
  const kernel = nextKernelInterrupt();
  return signal === undefined || kernel === undefined
    ? signal ?? kernel
    : AbortSignal.any([signal, kernel]);
}

const toError = (reason: Error | string): Error =>
  typeof reason === "string" ? new Deno.errors.Interrupted(reason) : reason;
