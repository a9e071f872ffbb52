/**
 * What is left of programs that were compiled, run and released: bytes that are still allocated, as
 * AddressSanitizer counts them, and resident memory.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { jit } from "@/engine/jit.ts";

/** Growth over programs, in bytes a program; null where no sanitizer counts. */
export type Releases = {
  readonly programs: number;
  /** Allocated, of released programs that share their C. */
  readonly released: number | null;
  /** The same of programs that were kept: what a leak of them would look like. */
  readonly kept: number | null;
  /** Resident, of released programs each of which has C of its own, whose libraries stay loaded. */
  readonly residentOfDistinct: number;
};

/** Programs before any that are counted: pools, caches and compilers of JavaScript settle. */
const WARMUP = 30;

/** Operations of which each program with C of its own has another sequence. */
const STEPS = [tf.tanh, tf.sin, tf.abs, tf.square] as const;

/** Compiles and runs a program over `size` numbers whose operations `digits` choose; gives its release. */
async function runProgram(size: number, digits: number): Promise<() => void> {
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
  return () => program.release();
}

/** Collects garbage, so that what is counted afterwards is in use. */
async function collect(): Promise<void> {
  const { gc } = globalThis as { readonly gc?: () => void };
  if (gc === undefined) throw new Error("internal: started without --expose-gc");
  for (let i = 0; i < 3; i++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 20)); // finalizers have their turn
  }
}

/** Measures `count` programs of each kind; `library` is AddressSanitizer's, where it is in the process. */
export async function measureReleases(
  count: number,
  { library }: { readonly library: string | undefined },
): Promise<Releases> {
  const counter = library === undefined ? null : Deno.dlopen(library, {
    __sanitizer_get_current_allocated_bytes: { parameters: [], result: "usize" },
  });
  const allocated = () => Number(counter?.symbols.__sanitizer_get_current_allocated_bytes() ?? NaN);
  const growth = async (measure: () => number, run: (i: number) => Promise<void>) => {
    for (let i = 0; i < WARMUP; i++) await run(i);
    await collect();
    const before = measure();
    for (let i = WARMUP; i < WARMUP + count; i++) await run(i);
    await collect();
    return (measure() - before) / count;
  };
  // each of another size, as equal programs would be one
  const released = await growth(allocated, async (i) => (await runProgram(10 + i, 1))());
  const kept = await growth(allocated, async (i) => void await runProgram(10 + i, 1));
  const residentOfDistinct = await growth(
    () => Deno.memoryUsage().rss,
    async (i) => (await runProgram(10, 4 + i))(),
  );
  const known = (bytes: number) => Number.isNaN(bytes) ? null : bytes;
  return { programs: count, released: known(released), kept: known(kept), residentOfDistinct };
}
