/**
 * The process of a kernel: start with its own connection file, monitoring, and end.
 * @module
 */

import { randomUUID } from "node:crypto";
import { join } from "node:path";

/** A kernel's process with the ports and the key of its connection. */
type KernelProcess = {
  readonly ports: {
    readonly shell: number;
    readonly iopub: number;
    readonly stdin: number;
    readonly control: number;
    readonly heartbeat: number;
  };
  /** Key that signs the messages. */
  readonly key: string;
  /** Resolves like `promise`; rejects as soon as the process ends. */
  alive<T>(promise: Promise<T>): Promise<T>;
  /** Sends SIGINT. */
  interrupt(): void;
  /** Kills the process; pending calls fail with `reason`. */
  kill(reason: string): void;
  /** Waits up to `timeoutMs` for the process to end, then kills it. */
  end(timeoutMs: number): Promise<void>;
};

/** Starts `deno jupyter` in `folder`, with the nearest `deno.json` above it. */
export async function spawnKernel(folder: string): Promise<KernelProcess> {
  const key = randomUUID(); // a secret shared with the kernel; it does not affect any result
  const ports = findPorts();
  const temporary = await Deno.makeTempDir({ prefix: "kernel-" });
  const connection = join(temporary, "connection.json");
  await Deno.writeTextFile(
    connection,
    JSON.stringify({
      shell_port: ports.shell,
      iopub_port: ports.iopub,
      stdin_port: ports.stdin,
      control_port: ports.control,
      hb_port: ports.heartbeat,
      ip: "127.0.0.1",
      transport: "tcp",
      key,
      signature_scheme: "hmac-sha256",
      kernel_name: "deno",
    }),
    { mode: 0o600 },
  );
  const child = new Deno.Command(Deno.execPath(), {
    args: ["jupyter", "--quiet", "--kernel", "--conn", connection],
    cwd: folder,
    stdin: "null",
    stdout: "piped", // output of native code; part of the error message if the process dies
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  const lastWords = keepTail(child);
  let reason: string | null = null;
  const death = child.status.then(async ({ code, signal }) => {
    await Deno.remove(temporary, { recursive: true });
    const words = await lastWords;
    throw new Error(
      reason ??
        `the kernel has ended (${signal ?? `exit code ${code}`})${
          words === "" ? "" : `: ${words}`
        }`,
    );
  });
  death.catch(() => {}); // pending calls report it; no other handler is needed
  return {
    ports,
    key,
    alive: (promise) => Promise.race([promise, death]),
    interrupt: () => child.kill("SIGINT"),
    kill(why) {
      reason = why;
      killChild(child);
    },
    async end(timeoutMs) {
      const timer = setTimeout(() => killChild(child), timeoutMs);
      await death.catch(() => {});
      clearTimeout(timer);
    },
  };
}

/** Finds unused ports. All are held open until the last is found, so they differ. */
function findPorts(): KernelProcess["ports"] {
  const listeners: Deno.TcpListener[] = [];
  const find = () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    listeners.push(listener);
    return listener.addr.port;
  };
  const ports = { shell: find(), iopub: find(), stdin: find(), control: find(), heartbeat: find() };
  for (const listener of listeners) listener.close();
  return ports;
}

/** Returns the last lines of a child's output after it has ended; reads continuously so that the child never blocks. */
async function keepTail(child: Deno.ChildProcess): Promise<string> {
  const tails = await Promise.all([child.stdout, child.stderr].map(async (stream) => {
    let tail = "";
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      tail = (tail + text).slice(-2000);
    }
    return tail;
  }));
  return tails.join("").trim().split("\n").slice(-5).join("\n");
}

function killChild(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // it has ended already
  }
}
