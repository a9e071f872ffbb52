/**
 * Memory that remains after programs were compiled, run and released: allocated bytes, as AddressSanitizer counts
 * them, and resident memory.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { jit } from "@/engine/jit.ts";

/** Growth in bytes for each program; null if no sanitizer counts. */
export type Releases = {
  readonly programs: number;
  /** Allocated bytes of released programs that share their C. */
  readonly released: number | null;
  /** Allocated bytes of programs that are not released: the size of a leak, for comparison. */
  readonly kept: number | null;
  /** Resident bytes of the library of a released program with C of its own; libraries stay loaded. */
  readonly library: number;
};

/** Programs that run before counting starts, because JavaScript's own compilers allocate at first. */
const WARMUP = 300;
/** The same for programs that take a second each and allocate much more. */
const SHORT_WARMUP = 30;

/** Operations; each program with C of its own has another sequence of them. */
const STEPS = [tf.tanh, tf.sin, tf.abs, tf.square] as const;

/** Compiles and runs a program over `size` numbers; `digits` select its operations. */
async function runProgram(size: number, digits: number): Promise<{ release(): void }> {
  const program = jit("releases", ({ x }: { x: tf.Tensor }) => {
    let y = tf.mul(x, 0.5);
    for (let rest = digits; rest > 0; rest = Math.floor(rest / STEPS.length)) {
      y = (STEPS[rest % STEPS.length] ?? tf.abs)(y);
    }
    return { y, sum: tf.sum(y) };
  });
  const x = tf.ones([size]);
  const { y, sum } = await program({ x });
  await sum.data();
  tf.dispose([x, y, sum]);
  return program;
}

/** Collects garbage, so that only memory in use is counted. */
async function collect(): Promise<void> {
  const { gc } = globalThis as { readonly gc?: () => void };
  if (gc === undefined) throw new Error("internal: started without --expose-gc");
  for (let i = 0; i < 3; i++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 20)); // lets finalizers run
  }
}

/** Resident bytes of compiled libraries, as Linux reports them. */
function residentLibraries(): number {
  let ours = false, kibibytes = 0;
  for (const line of Deno.readTextFileSync("/proc/self/smaps").split("\n")) {
    if (/^[0-9a-f]+-[0-9a-f]+ /.test(line)) ours = line.endsWith("/library.so");
    else if (ours) kibibytes += Number(/^Rss:\s+(\d+) kB/.exec(line)?.[1] ?? 0);
  }
  return 1024 * kibibytes;
}

/**
 * Measures `count` programs of each kind. `library` is AddressSanitizer's, if it is loaded; `onProgram` receives the
 * number of programs that are done.
 */
export async function measureReleases(
  count: number,
  { library, onProgram }: {
    readonly library: string | undefined;
    readonly onProgram: (done: number, total: number) => void;
  },
): Promise<Releases> {
  const counter = library === undefined ? null : Deno.dlopen(library, {
    __sanitizer_get_current_allocated_bytes: { parameters: [], result: "usize" },
  });
  const allocated = () => Number(counter?.symbols.__sanitizer_get_current_allocated_bytes() ?? NaN);
  const total = 2 * WARMUP + SHORT_WARMUP + 3 * count;
  let done = 0;
  /** Growth of `measure` for each program, after `warmup` programs. */
  const growth = async (
    measure: () => number,
    warmup: number,
    run: (i: number) => Promise<void>,
  ) => {
    let before = NaN;
    for (let i = 0; i < warmup + count; i++) {
      if (i === warmup) {
        await collect();
        before = measure();
      }
      await run(i);
      onProgram(++done, total);
    }
    await collect();
    return (measure() - before) / count;
  };
  // each of another size, because equal programs share one
  const released = await growth(allocated, WARMUP, async (i) => {
    (await runProgram(10 + i, 1)).release();
  });
  const held: unknown[] = []; // unreferenced programs are released as well
  const kept = await growth(allocated, WARMUP, async (i) => {
    held.push(await runProgram(10 + i, 1));
  });
  const loaded = await growth(residentLibraries, SHORT_WARMUP, async (i) => {
    (await runProgram(10, 4 + i)).release();
  });
  const known = (bytes: number) => Number.isNaN(bytes) ? null : bytes;
  held.length = 0; // referenced until here
  return { programs: count, released: known(released), kept: known(kept), library: loaded };
}
