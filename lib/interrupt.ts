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
 * In a Jupyter kernel: a signal that is aborted at the kernel's next interrupt; undefined elsewhere. Jupyter
 * interrupts by SIGINT, which ends Deno's kernel with all variables; after the first call it no longer does.
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
