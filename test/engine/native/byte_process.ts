/** Processes that are controlled through their standard input and output. @module */

/** A running process; close it when done. */
export type ByteProcess = {
  /** Writes to its standard input. */
  readonly write: (bytes: Uint8Array) => Promise<void>;
  /** Reads the next bytes of its output; one call at a time. */
  readonly read: (bytes: number) => Promise<Uint8Array<ArrayBuffer>>;
  /** Closes its input and waits for its end; throws if it failed. */
  readonly close: () => Promise<void>;
};

/** Starts a process; `name` is used in messages. */
export function startProcess(name: string, [command, ...args]: readonly string[]): ByteProcess {
  if (command === undefined) throw new Error("internal: no program to start");
  const process = new Deno.Command(command, { args, stdin: "piped", stdout: "piped" }).spawn();
  const writer = process.stdin.getWriter();
  const reader = process.stdout.getReader();
  let waiting: Uint8Array[] = [], waitingBytes = 0;
  return {
    write: (bytes) => writer.write(bytes),
    async read(bytes) {
      while (waitingBytes < bytes) {
        const { value, done } = await reader.read();
        if (done) throw new Error(`Cannot read an answer as ${name} has stopped`);
        waiting.push(value);
        waitingBytes += value.length;
      }
      const all = new Uint8Array(waitingBytes);
      let at = 0;
      for (const part of waiting) {
        all.set(part, at);
        at += part.length;
      }
      waiting = [all.subarray(bytes)];
      waitingBytes -= bytes;
      return all.slice(0, bytes);
    },
    async close() {
      await writer.close();
      await reader.cancel();
      const { code } = await process.status;
      if (code !== 0) throw new Error(`Cannot close ${name} as it exited with code ${code}`);
    },
  };
}
