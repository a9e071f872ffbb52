/**
 * Compiled programs by the key of their graph. Equal graphs share one; unused programs are released.
 * @module
 */
import type { Program } from "@/engine/executor.ts";

/** A reference to a program, which is not released while references exist. */
export type HeldProgram = {
  readonly program: Program;
  /** Drops the reference. The last one to go releases the program, after a run that is under way. */
  drop(): void;
};

type Entry = { readonly program: Promise<Program>; holders: number };

/** Programs with reference counts. */
export class HeldPrograms {
  #entries = new Map<string, Entry>();

  /** Number of programs. */
  get size(): number {
    return this.#entries.size;
  }

  /** A reference to the program under `key`, compiled if there is none. */
  async hold(key: string, make: () => Promise<Program>): Promise<HeldProgram> {
    const entry: Entry = this.#entries.get(key) ??
      { program: make().then(releaseWhenIdle), holders: 0 };
    this.#entries.set(key, entry);
    entry.holders++;
    let held = true;
    const letGo = () => {
      if (!held) return false;
      held = false;
      if (--entry.holders > 0) return false;
      this.#entries.delete(key);
      return true;
    };
    try {
      const program = await entry.program;
      return {
        program,
        drop() {
          if (letGo()) program.release();
        },
      };
    } catch (error) {
      letGo();
      throw error;
    }
  }
}

/** A cache of the most recently used programs; evicted ones are released. */
export class RecentPrograms {
  #programs = new Map<string, Program>(); // in order of use, most recent last

  /** Caches at most `limit` programs. */
  constructor(readonly limit: number) {}

  /** Number of cached programs. */
  get size(): number {
    return this.#programs.size;
  }

  /** The program under `key`, compiled if there is none. Run it before the next call, which may evict it. */
  use(key: string, make: () => Program): Program {
    const program = this.#programs.get(key) ?? make();
    this.#programs.delete(key);
    this.#programs.set(key, program);
    for (const [oldest, other] of this.#programs) {
      if (this.#programs.size <= this.limit) break;
      this.#programs.delete(oldest);
      other.release();
    }
    return program;
  }

  /** Releases all programs. */
  clear(): void {
    for (const program of this.#programs.values()) program.release();
    this.#programs.clear();
  }
}

/** `program` with a release that waits for its runs. */
function releaseWhenIdle(program: Program): Program {
  let running = 0, released = false;
  const settle = () => {
    if (released && running === 0) program.release();
  };
  return {
    ...program,
    async run(inputs, outputs) {
      running++;
      try {
        await program.run(inputs, outputs);
      } finally {
        running--;
        settle();
      }
    },
    release() {
      if (released) return;
      released = true;
      settle();
    },
  };
}
