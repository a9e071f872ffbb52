/**
 * Compiles C to shared libraries that are kept on disk: the same sources, headers, flags, compiler and
 * processor are compiled once.
 * @module
 */
import { join } from "node:path";
import {
  type Cache,
  digestParts,
  findLibrary,
  libraryIn,
  openBuildFolder,
  openCache,
  publish,
  removeFolder,
} from "@/engine/native/compile_cache.ts";
import type { Compiler } from "@/engine/native/find_compiler.ts";
import { pruneCache } from "@/engine/native/prune_cache.ts";
import type { Target } from "@/engine/native/target.ts";
import { describeSystem } from "@/engine/system.ts";

/** A file for the compiler; its name has no folder. */
export type SourceFile = { readonly name: string; readonly text: string };

/** A library to compile. */
export type Library = {
  /** What it is, for file names and errors. */
  readonly name: string;
  /** Translation units, each compiled for itself. */
  readonly sources: readonly SourceFile[];
  /** Files that the sources include. */
  readonly headers: readonly SourceFile[];
  /** Flags beside those that all libraries have. */
  readonly flags: readonly string[];
};

/** What compiles, and for which processor and system. */
export type CompileOptions = {
  readonly compiler: Compiler;
  readonly target: Target;
  /** The system that loads the library, as `Deno.build.os` names it; this one where it is left out. */
  readonly system?: string | undefined;
  /** Called before the compiler is, which may take seconds; not where the library is on disk. */
  readonly onCompile?: ((library: string) => void) | undefined;
};

/** Raised when what the entries hold changes its meaning. */
const CACHE_VERSION = 1;

/**
 * Flags of all libraries. Contracting a * b + c and forgetting errno are allowed; infinities, NaN and signed
 * zeros keep their meaning, so `-ffast-math` is not.
 */
const FLAGS = [
  ...["-std=gnu11", "-D_GNU_SOURCE", "-fno-strict-aliasing"],
  ...["-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math", "-Wno-psabi"],
] as const;

/** Compilers that run at once. */
const PROCESSES = 2;
/** Lines of a compiler's complaint that an error repeats. */
const ERROR_LINES = 12;

/** Compilations of this process that are under way, by entry. */
const underWay = new Map<string, Promise<string>>();

/** What must be called, in order; the calls of one stage may run at once. */
type Plan = {
  readonly cache: Cache;
  readonly entry: string;
  readonly buildFolder: string;
  readonly stages: readonly (readonly Deno.Command[])[];
  readonly lines: ReadonlyMap<Deno.Command, string>;
};

/** Flags of a test build, from `STX_NATIVE_FLAGS`; `deno task sanitize` gives those of the sanitizers. */
const extraFlags = () =>
  (Deno.env.get("STX_NATIVE_FLAGS") ?? "").split(/\s+/).filter((flag) => flag !== "");

function nameEntry({ name, sources, headers, flags }: Library, options: CompileOptions): string {
  const { compiler, target } = options;
  const { command, arguments: first, version } = compiler;
  const { compileFlags, linkFlags } = describeSystem(options.system);
  const digest = digestParts([
    ...[CACHE_VERSION, command, first, version, target.flags, target.processor],
    ...[FLAGS, compileFlags, linkFlags, flags, extraFlags(), sources, headers],
  ]);
  return `${name}-${digest}`;
}

/** Writes the files of a library into a new folder and plans the compiler's calls. */
function prepare(library: Library, entry: string, options: CompileOptions): Plan {
  const { compiler, target } = options;
  const cache = openCache();
  const buildFolder = openBuildFolder(cache);
  const lines = new Map<Deno.Command, string>();
  const call = (args: readonly string[]) => {
    const all = [...compiler.arguments, ...args];
    const command = new Deno.Command(compiler.command, {
      ...{ args: all, cwd: buildFolder, env: { LC_ALL: "C" } },
      ...{ stdin: "null", stdout: "null", stderr: "piped" },
      detached: true, // an interrupt from the terminal is for this process, which ends in good order
    });
    lines.set(command, [compiler.command, ...all].join(" "));
    return command;
  };
  for (const { name, text } of [...library.sources, ...library.headers]) {
    Deno.writeTextFileSync(join(buildFolder, name), text);
  }
  const { compileFlags, linkFlags } = describeSystem(options.system);
  const flags = [...FLAGS, ...compileFlags, ...library.flags, ...target.flags, ...extraFlags()];
  const objectOf = (source: string) => source.replace(/\.c$/, ".o");
  const compile = library.sources.map(({ name }) =>
    call([...flags, "-c", name, "-o", objectOf(name)])
  );
  const objects = library.sources.map(({ name }) => objectOf(name));
  const link = call([...flags, "-shared", ...objects, "-o", libraryIn(buildFolder), ...linkFlags]);
  return { cache, entry, buildFolder, stages: [compile, [link]], lines };
}

/** Throws the first lines of a compiler's complaint about what is called `name`; `line` is its call. */
export function checkOutput(name: string, line: string, output: Deno.CommandOutput): void {
  if (output.success) return;
  const complaint = new TextDecoder().decode(output.stderr).trimEnd().split("\n");
  const rest = complaint.length - ERROR_LINES;
  throw new Error([
    `Cannot compile ${name} as the compiler must accept it: exit code ${output.code} of`,
    line,
    ...complaint.slice(0, ERROR_LINES),
    ...(rest > 0 ? [`(${rest} more lines)`] : []),
  ].join("\n"));
}

/** Whether this process has looked through the cache. */
let pruned = false;

/** Keeps the objects out of the cache and makes the library an entry. */
function finish({ buildFolder, cache, entry }: Plan, { sources }: Library): string {
  for (const { name } of sources) Deno.removeSync(join(buildFolder, name.replace(/\.c$/, ".o")));
  const path = publish(buildFolder, cache, entry);
  const now = Deno.statSync(path).mtime?.getTime() ?? 0; // by the disk's clock
  if (!pruned) pruneCache(cache.folder, now);
  pruned = true;
  return path;
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
            checkOutput(library.name, plan.lines.get(command) ?? "", output);
          } catch (error) {
            waiting.length = 0;
            throw error;
          }
        }
      }));
      const failed = ended.find((end) => end.status === "rejected"); // none is at work any more
      if (failed !== undefined) throw failed.reason;
    }
    return finish(plan, library);
  } finally {
    removeFolder(plan.buildFolder);
  }
}

/** Compiles a library unless it is on disk; gives its path. Throws what the compiler complains of. */
export async function compileLibrary(library: Library, options: CompileOptions): Promise<string> {
  const entry = nameEntry(library, options);
  const known = findLibrary(openCache(), entry);
  if (known !== null) return known;
  const running = underWay.get(entry);
  if (running !== undefined) return await running;
  options.onCompile?.(library.name);
  const promise = compile(library, entry, options).finally(() => underWay.delete(entry));
  underWay.set(entry, promise);
  return await promise;
}

/** {@link compileLibrary} for callers that cannot wait: blocks, one compiler at a time. */
export function compileLibrarySync(library: Library, options: CompileOptions): string {
  const entry = nameEntry(library, options);
  const known = findLibrary(openCache(), entry);
  if (known !== null) return known;
  options.onCompile?.(library.name);
  const plan = prepare(library, entry, options);
  try {
    for (const command of plan.stages.flat()) {
      let output = command.outputSync(); // which ignores `detached`:
      if (output.signal === "SIGINT") output = command.outputSync(); // the terminal's Ctrl+C ended it
      checkOutput(library.name, plan.lines.get(command) ?? "", output);
    }
    return finish(plan, library);
  } finally {
    removeFolder(plan.buildFolder);
  }
}
