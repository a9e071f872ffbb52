/**
 * `STX_INSPECT=DIR` in the environment: each program of a `jit` function writes its page into that folder.
 * @module
 */
import { join } from "node:path";
import { type InspectableFunction, onProgram } from "@/engine/inspect/inspection.ts";

/** The variable that names the folder. */
const VARIABLE = "STX_INSPECT";

/** Writes pages if the environment asks for them; costs nothing otherwise. */
export async function inspectFromEnvironment(): Promise<void> {
  const { state } = Deno.permissions.querySync({ name: "env", variable: VARIABLE });
  const folder = state === "granted" ? Deno.env.get(VARIABLE) : undefined;
  if (folder) await inspectInto(folder);
}

/**
 * Writes a page for each program that is compiled from now on: at once, and when the process ends again, with the times
 * of all runs. The names of the files are those of the functions, with the values of dynamic dimensions.
 */
async function inspectInto(folder: string): Promise<void> {
  try {
    Deno.mkdirSync(folder, { recursive: true });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new RangeError(`Cannot inspect into ${VARIABLE}=${folder}: ${reason}`);
  }
  const { renderInspection } = await import("@/inspect/page.ts"); // only here, since it draws figures
  const programs = new Map<string, InspectableFunction>();
  const write = (file: string, { name, inspect }: InspectableFunction) =>
    Deno.writeTextFileSync(join(folder, file), renderInspection(name, [inspect()]));
  onProgram((program) => {
    const file = findFree(nameFile(program), programs);
    programs.set(file, program);
    write(file, program);
  });
  globalThis.addEventListener("unload", () => {
    for (const [file, program] of programs) write(file, program);
  });
}

/** The name of a program's file without its end: `encode_B16_T32`. */
function nameFile({ name, sizes }: InspectableFunction): string {
  const dimensions = Object.entries(sizes?.called ?? {}).map(([name, size]) => `${name}${size}`);
  return [name, ...dimensions].join("_").replace(/[^\w.-]/g, "-");
}

/** `NAME.html`, or with the first number that makes it new. */
function findFree(name: string, taken: ReadonlyMap<string, unknown>): string {
  for (let i = 1;; i++) {
    const file = i === 1 ? `${name}.html` : `${name}_${i}.html`;
    if (!taken.has(file)) return file;
  }
}
