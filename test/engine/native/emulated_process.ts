/** A process on an emulated processor whose libraries, functions and memory can be used remotely. @module */
import { startProcess } from "./byte_process.ts";
import type { Emulation } from "./emulation.ts";

/** Remote functions; one call at a time. */
export type EmulatedProcess = {
  /** Opens a shared library; throws if it cannot be loaded. */
  load(path: string): Promise<bigint>;
  /** The address of a function in a library; throws if there is none. */
  find(library: bigint, name: string): Promise<bigint>;
  /** Calls a function with up to eight integers or pointers and returns its result. */
  call(address: bigint, ...values: readonly bigint[]): Promise<bigint>;
  /**
   * Copies `arrays` to the process, each aligned to 64 bytes, calls `body` with the addresses and copies the contents back
   * into the arrays in place. An array that occurs twice has one copy.
   */
  lend<T>(
    arrays: readonly ArrayBufferView[],
    body: (addresses: readonly bigint[]) => Promise<T>,
  ): Promise<T>;
  /** Writes memory. */
  write(address: bigint, bytes: ArrayBufferView): Promise<void>;
  close(): Promise<void>;
};

const REQUESTS = ["call", "write", "read"] as const;
const REQUEST_WORDS = 10, GREETING_WORDS = 4;
const RTLD_NOW = 2n;
const ALIGNMENT = 64n;

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** Builds and starts call_server.c. */
export async function startEmulatedProcess(
  { compile: { compiler }, command }: Emulation,
): Promise<EmulatedProcess> {
  const folder = await Deno.makeTempDir({ prefix: "emulated-" });
  const program = `${folder}/call_server`;
  const { success, stderr } = await new Deno.Command(compiler.command, {
    args: [
      ...[...compiler.arguments, "-O1", "-Wall", "-Wextra"],
      ...[`${import.meta.dirname}/call_server.c`, "-o", program, "-ldl"],
    ],
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`Cannot build call_server: ${new TextDecoder().decode(stderr)}`);
  const process = startProcess(`call_server on ${command[0]}`, [...command, program]);
  const ask = (request: typeof REQUESTS[number], ...words: readonly bigint[]) => {
    const all = new BigInt64Array(REQUEST_WORDS);
    all.set([BigInt(REQUESTS.indexOf(request)), ...words]);
    return process.write(bytesOf(all));
  };
  const readWords = async (count: number) =>
    new BigInt64Array((await process.read(8 * count)).buffer);
  const [dlopen = 0n, dlsym = 0n, alignedAlloc = 0n, free = 0n] = await readWords(GREETING_WORDS);
  await Deno.remove(folder, { recursive: true }); // no longer needed while it runs

  const call: EmulatedProcess["call"] = async (address, ...values) => {
    await ask("call", address, ...values);
    return (await readWords(1))[0] as bigint;
  };
  const read = async (address: bigint, bytes: number) => {
    await ask("read", address, BigInt(bytes));
    return await process.read(bytes);
  };
  const write: EmulatedProcess["write"] = async (address, bytes) => {
    await ask("write", address, BigInt(bytes.byteLength));
    if (bytes.byteLength > 0) await process.write(bytesOf(bytes));
  };
  const lend: EmulatedProcess["lend"] = async (arrays, body) => {
    const copies = new Map<ArrayBufferView, bigint>();
    for (const array of arrays) {
      if (copies.has(array)) continue;
      const size = BigInt(array.byteLength);
      const address = await call(alignedAlloc, ALIGNMENT, size);
      if (address === 0n) {
        throw new Error(`Cannot allocate ${size} bytes in the emulated process`);
      }
      copies.set(array, address);
      await write(address, array);
    }
    try {
      return await body(arrays.map((array) => copies.get(array) as bigint));
    } finally {
      for (const [array, address] of copies) {
        bytesOf(array).set(await read(address, array.byteLength));
        await call(free, address);
      }
    }
  };
  const withText = (text: string, body: (address: bigint) => Promise<bigint>) =>
    lend([new TextEncoder().encode(`${text}\0`)], ([address = 0n]) => body(address));
  return {
    async load(path) {
      const library = await withText(path, (address) => call(dlopen, address, RTLD_NOW));
      if (library === 0n) throw new Error(`Cannot load ${path} in the emulated process`);
      return library;
    },
    async find(library, name) {
      const found = await withText(name, (address) => call(dlsym, library, address));
      if (found === 0n) throw new Error(`Cannot find ${name} as the library must define it`);
      return found;
    },
    ...{ call, lend, write },
    close: () => process.close(),
  };
}
