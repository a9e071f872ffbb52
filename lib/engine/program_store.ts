/**
 * Compiled programs by the key of their graph: equal graphs share one, and what nobody needs is released.
 * @module
 */
import type { Program } from "@/engine/executor.ts";

/** A program that its holder keeps from being released. */
export type HeldProgram = {
  readonly program: Program;
  /** Lets the program go; it is released once all have, after a run that is under way. */
  drop(): void;
};

type Entry = { readonly program: Promise<Program>; holders: number };

/** Programs that live for as long as someone holds them. */
export class HeldPrograms {
  #entries = new Map<string, Entry>();

  /** Number of programs that are held. */
  get size(): number {
    return this.#entries.size;
  }

  /** The program under `key`, made where there is none. */
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

/** Programs that were used last, the others released. */
export class RecentPrograms {
  #programs = new Map<string, Program>(); // the one that was used last comes last

  /** Keeps at most `limit` programs. */
  constructor(readonly limit: number) {}

  /** Number of programs that are kept. */
  get size(): number {
    return this.#programs.size;
  }

  /** The program under `key`, made where there is none; to be run before the next one is asked for. */
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

  /** Releases all. */
  clear(): void {
    for (const program of this.#programs.values()) program.release();
    this.#programs.clear();
  }
}

/** `program`, whose release waits for its runs. */
function releaseWhenIdle(program: Program): Program {
  let running = 0, released = false;
  const settle = () => {
    if (released && running === 0) program.release();
  };
  return {
    async run(inputs, outputs) {
      running++;
      try {
        await program.run(inputs, outputs);
      } finally {
        running--;
        settle();
      }
    },
    runSync: (inputs, outputs) => program.runSync(inputs, outputs),
    release() {
      if (released) return;
      released = true;
      settle();
    },
  };
}
