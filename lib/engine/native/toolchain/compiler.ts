/**
 * Compiles C to shared libraries, cached on disk by sources, headers, flags, compiler and processor.
 * @module
 */
import { lookUp } from "@/engine/errors.ts";
import { dirname, join } from "node:path";
import {
  digestParts,
  findLibrary,
  folderOf,
  keepSources,
  libraryIn,
  openBuildFolder,
  publish,
  removeFolder,
} from "./compile_cache.ts";
import type { Compiler } from "./find_compiler.ts";
import type { Target } from "./target.ts";
import { describeSystem } from "../../system.ts";

/** A file for the compiler; its name is a path below the folder in which it compiles, with `/` between folders. */
export type SourceFile = { readonly name: string; readonly text: string };

/** A library to compile. */
export type Library = {
  /** Its name, for files and errors. */
  readonly name: string;
  /** Translation units. */
  readonly sources: readonly SourceFile[];
  /** Files that the sources include, by their names or from their own folder. */
  readonly headers: readonly SourceFile[];
  /** Flags in addition to those of all libraries. */
  readonly flags: readonly string[];
};

/** The compiler, and the processor and system that it compiles for. */
export type CompileOptions = {
  readonly compiler: Compiler;
  readonly target: Target;
  /** The target system, as `Deno.build.os` names it; by default this one. */
  readonly system?: string | undefined;
  /** Called before a compilation, which may take seconds; not called for a cached library. */
  readonly onCompile?: ((library: string) => void) | undefined;
};

/** Incremented when the meaning of the entries changes. */
const CACHE_VERSION = 1;

/**
 * Flags of all libraries. Contracting a * b + c and ignoring errno are allowed. Infinities, NaN and signed zeros
 * keep their meaning, so `-ffast-math` is not allowed.
 */
const FLAGS = [
  ...["-std=gnu11", "-D_GNU_SOURCE", "-I.", "-fno-strict-aliasing"],
  ...["-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math", "-Wno-psabi"],
] as const;

/** Number of compiler processes that run at once. */
const PROCESSES = 2;
/** Number of lines of a compiler's message that an error repeats. */
const ERROR_LINES = 12;

/** Compilations in progress in this process, by entry. */
const underWay = new Map<string, Promise<string>>();

/** The compiler calls of a library, in stages; the calls of one stage may run at once. */
type Plan = {
  readonly entry: string;
  readonly buildFolder: string;
  readonly stages: readonly (readonly Deno.Command[])[];
  readonly lines: ReadonlyMap<Deno.Command, string>;
};

/** Thrown if the compiler fails, or if what it made cannot be loaded. */
export class ToolchainError extends Error {}

/** True if `STX_DEBUG` is 1: libraries have debug information that names their sources in the cache. */
export const isDebugBuild = () => Deno.env.get("STX_DEBUG") === "1";

/** Extra flags from `STX_NATIVE_FLAGS`, for test builds; `deno task sanitize` sets those of the sanitizers. */
const extraFlags = () =>
  (Deno.env.get("STX_NATIVE_FLAGS") ?? "").split(/\s+/).filter((flag) => flag !== "");

function nameEntry({ name, sources, headers, flags }: Library, options: CompileOptions): string {
  const { compiler, target } = options;
  const { command, arguments: first, version } = compiler;
  const { compileFlags, linkFlags } = describeSystem(options.system);
  const digest = digestParts([
    ...[CACHE_VERSION, command, first, version, target.flags, target.processor],
    ...[FLAGS, compileFlags, linkFlags, flags, extraFlags(), isDebugBuild(), sources, headers],
  ]);
  return `${name}-${digest}`;
}

/** Writes a library's files into a new folder and prepares the compiler calls. */
function prepare(library: Library, entry: string, options: CompileOptions): Plan {
  const { compiler, target } = options;
  const buildFolder = openBuildFolder();
  const lines = new Map<Deno.Command, string>();
  const call = (args: readonly string[]) => {
    const all = [...compiler.arguments, ...args];
    const command = new Deno.Command(compiler.command, {
      ...{ args: all, cwd: buildFolder, env: { LC_ALL: "C" } },
      ...{ stdin: "null", stdout: "null", stderr: "piped" },
      detached: true, // so that Ctrl+C reaches this process only, which stops in good order
    });
    lines.set(command, [compiler.command, ...all].join(" "));
    return command;
  };
  for (const { name, text } of [...library.sources, ...library.headers]) {
    Deno.mkdirSync(dirname(join(buildFolder, name)), { recursive: true });
    Deno.writeTextFileSync(join(buildFolder, name), text);
  }
  const { compileFlags, linkFlags } = describeSystem(options.system);
  const map = `-fdebug-prefix-map=${buildFolder}=${folderOf(buildFolder, entry)}`;
  const flags = [
    ...[...FLAGS, ...compileFlags, ...library.flags, ...target.flags, ...extraFlags()],
    ...isDebugBuild() ? ["-g", map] : [],
  ];
  const objectOf = (source: string) => source.replace(/\.c$/, ".o");
  const compile = library.sources.map(({ name }) =>
    call([...flags, "-c", name, "-o", objectOf(name)])
  );
  const objects = library.sources.map(({ name }) => objectOf(name));
  const link = call([...flags, "-shared", ...objects, "-o", libraryIn(buildFolder), ...linkFlags]);
  return { entry, buildFolder, stages: [compile, [link]], lines };
}

/** Throws the first lines of a failed compiler's message; `name` is the library, `line` the command. */
export function checkOutput(name: string, line: string, output: Deno.CommandOutput): void {
  if (output.success) return;
  const complaint = new TextDecoder().decode(output.stderr).trimEnd().split("\n");
  const rest = complaint.length - ERROR_LINES;
  throw new ToolchainError([
    `Cannot compile ${name}: the compiler failed with exit code ${output.code}:`,
    line,
    ...complaint.slice(0, ERROR_LINES),
    ...(rest > 0 ? [`(${rest} more lines)`] : []),
  ].join("\n"));
}

/** The error of a compilation; the sources stay if the compiler has failed, and the error says where they are. */
function explainFailure(error: unknown, { buildFolder, entry }: Plan): unknown {
  if (!(error instanceof ToolchainError)) return error;
  return new ToolchainError(`${error.message}\nThe C is in ${keepSources(buildFolder, entry)}`);
}

/** Removes the object files and publishes the library. */
function finish({ buildFolder, entry }: Plan, { sources }: Library): string {
  for (const { name } of sources) Deno.removeSync(join(buildFolder, name.replace(/\.c$/, ".o")));
  return publish(buildFolder, entry);
}

async function compile(library: Library, entry: string, options: CompileOptions): Promise<string> {
  const plan = prepare(library, entry, options);
  try {
    for (const stage of plan.stages) {
      const waiting = [...stage];
      const ended = await Promise.allSettled(Array.from({ length: PROCESSES }, async () => {
        for (let command = waiting.shift(); command !== undefined; command = waiting.shift()) {
          const output = await command.spawn().output(); // `output` alone would not detach it
          try {
            checkOutput(library.name, lookUp(plan.lines, command, "a command's line"), output);
          } catch (error) {
            waiting.length = 0;
            throw error;
          }
        }
      }));
      const failed = ended.find((end) => end.status === "rejected"); // by now no process is running
      if (failed !== undefined) throw failed.reason;
    }
    return finish(plan, library);
  } catch (error) {
    throw explainFailure(error, plan);
  } finally {
    removeFolder(plan.buildFolder);
  }
}

/** The path of a library, compiled unless it is cached. Throws the compiler's message on failure. */
export async function compileLibrary(library: Library, options: CompileOptions): Promise<string> {
  const entry = nameEntry(library, options);
  const known = findLibrary(entry);
  if (known !== null) return known;
  const running = underWay.get(entry);
  if (running !== undefined) return await running;
  options.onCompile?.(library.name);
  const promise = compile(library, entry, options).finally(() => underWay.delete(entry));
  underWay.set(entry, promise);
  return await promise;
}

/** {@link compileLibrary} for synchronous callers: blocks, and runs one compiler process at a time. */
export function compileLibrarySync(library: Library, options: CompileOptions): string {
  const entry = nameEntry(library, options);
  const known = findLibrary(entry);
  if (known !== null) return known;
  options.onCompile?.(library.name);
  const plan = prepare(library, entry, options);
  try {
    for (const command of plan.stages.flat()) {
      let output = command.outputSync(); // which ignores `detached`
      if (output.signal === "SIGINT") output = command.outputSync(); // Ctrl+C in the terminal ended it
      checkOutput(library.name, lookUp(plan.lines, command, "a command's line"), output);
    }
    return finish(plan, library);
  } catch (error) {
    throw explainFailure(error, plan);
  } finally {
    removeFolder(plan.buildFolder);
  }
}
