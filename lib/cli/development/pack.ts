/**
 * `deno task pack`: the archives of the package. Deno's holds the files that `deno publish` uploads. The one for
 * Node.js runs exported graphs: its code is one bundle by esbuild, its types come from `deno pack`.
 * @module
 */
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import { readJson, readText, writeFileAtomic } from "@/system/files.ts";
import type { Options } from "../arguments.ts";
import { runTask, type Task } from "../run_task.ts";

const ROOT = join(import.meta.dirname ?? ".", "..", "..", "..");
const LIB = join(ROOT, "lib");

/** The entry point, relative to the project. */
const ENTRY = "lib/api/node_library.ts";

/** Packages that the bundle imports. */
const DEPENDENCIES = ["@huggingface/tokenizers", "onnxruntime-node"];

/** The oldest release of Node.js that the package supports. */
const NODE = 20;

type Manifest = {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly imports: Readonly<Record<string, string>>;
};

async function readManifest(): Promise<Manifest> {
  return await readJson(join(ROOT, "deno.json"), "manifest") as Manifest;
}

async function removeFolder(folder: string): Promise<void> {
  await Deno.remove(folder, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}

/** Bundles the entry point with all modules of the project that it uses. */
async function bundle(): Promise<string> {
  try {
    const { outputFiles } = await esbuild.build({
      entryPoints: [join(ROOT, ENTRY)],
      bundle: true,
      format: "esm",
      platform: "node",
      mainFields: ["module", "main"], // packages with both may have a CommonJS form that cannot be bundled
      target: `node${NODE}`,
      inject: [join(LIB, "api", "node_namespace.ts")],
      external: DEPENDENCIES,
      write: false,
      logLevel: "silent",
      plugins: [{
        name: "project",
        setup(build) {
          // Only modules of the engine have side effects on loading, and the package leaves the engine out.
          build.onResolve({ filter: /^@\// }, ({ path }) => ({
            path: join(LIB, path.slice(2)),
            sideEffects: false,
          }));
          build.onResolve({ filter: /^@tensorflow\// }, ({ path }) => ({
            path,
            external: true,
            sideEffects: false,
          }));
        },
      }],
    });
    const [file] = outputFiles;
    if (file === undefined) throw new TypeError("internal: esbuild returned no file");
    return file.text;
  } finally {
    await esbuild.stop(); // its process would keep ours alive
  }
}

/** Copies the TypeScript files of a folder. */
async function copySources(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copySources(join(from, name), join(to, name));
    else if (name.endsWith(".ts")) await Deno.copyFile(join(from, name), join(to, name));
  }
}

/** Writes the declarations of the entry point and of all modules whose types it refers to into `out`. */
async function writeTypes(out: string, manifest: Manifest): Promise<void> {
  const { name, version, license, imports } = manifest;
  const stage = await Deno.makeTempDir();
  try {
    await copySources(LIB, join(stage, "lib"));
    await Deno.symlink(join(ROOT, "node_modules"), join(stage, "node_modules"), { type: "dir" });
    const config = { name, version, license, imports, exports: `./${ENTRY}` };
    await Deno.writeTextFile(
      join(stage, "deno.json"),
      JSON.stringify({ ...config, nodeModulesDir: "manual", lock: false }),
    );
    await run(Deno.execPath(), ["pack", "--allow-dirty", "-o", "types.tgz"], stage);
    await run("tar", ["-xzf", "types.tgz"], stage);
    const packed = join(stage, "package");
    const copy = async (folder: string) => {
      for await (const { name: file, isDirectory } of Deno.readDir(join(packed, folder))) {
        const path = join(folder, file);
        if (isDirectory) await copy(path);
        else if (file.endsWith(".d.ts")) {
          const text = await readText(join(packed, path), "declarations");
          await writeFileAtomic(join(out, path), relateImports(text, { name, path }));
        }
      }
    };
    await copy("lib");
  } finally {
    await Deno.remove(stage, { recursive: true });
  }
}

/** Rewrites imports from `@/` in a declaration file; examples import the package by its name. */
function relateImports(
  text: string,
  { name, path }: { readonly name: string; readonly path: string },
): string {
  return text.replaceAll(`"@/${ENTRY.replace("lib/", "")}"`, `"${name}"`)
    .replace(/"@\/([^"]+)\.ts"/g, (_, module: string) => {
      const target = relative(dirname(path), `lib/${module}.js`).replaceAll("\\", "/");
      return `"${target.startsWith(".") ? target : `./${target}`}"`;
    });
}

async function run(command: string, args: readonly string[], cwd: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, { args: [...args], cwd }).output();
  if (!success) {
    throw new Error(
      `Cannot build the package: ${command} ${args[0]}: ${new TextDecoder().decode(stderr).trim()}`,
    );
  }
}

/** Writes the package for Node.js into the folder `out`, which is replaced. */
async function writeNpmPackage(out: string): Promise<void> {
  const manifest = await readManifest();
  const { name, version, license, imports } = manifest;
  await removeFolder(out);
  const types = `./${ENTRY.replace(/\.ts$/, ".d.ts")}`;
  const dependencies = DEPENDENCIES.map((each) =>
    [each, imports[each]?.replace(/^npm:.*@/, "^") ?? "*"] as const
  );
  await writeFileAtomic(
    join(out, "package.json"),
    JSON.stringify(
      {
        name,
        version,
        description: "Sentence embeddings, topics and entities from exported ONNX graphs",
        keywords: ["sentence-embeddings", "named-entity-recognition", "bert", "onnx"],
        license,
        type: "module",
        sideEffects: false,
        engines: { node: `>=${NODE}` },
        exports: { ".": { types, default: "./index.js" } },
        dependencies: Object.fromEntries(dependencies),
      },
      null,
      2,
    ) + "\n",
  );
  await writeFileAtomic(join(out, "index.js"), await bundle());
  await writeTypes(out, manifest);
  await Deno.copyFile(join(ROOT, "LICENSE"), join(out, "LICENSE"));
  await Deno.copyFile(join(LIB, "api", "node_library.md"), join(out, "README.md"));
}

/** Copies the files that `deno publish` uploads into the folder `out`, which is replaced. */
async function writeDenoPackage(out: string): Promise<void> {
  await removeFolder(out);
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["publish", "--dry-run", "--allow-dirty", "--no-check"],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  const paths = [...text.matchAll(/^ *(file:\/\/\S+) \([\d.]+\w+\)$/gm)]
    .map(([, url = ""]) => relative(ROOT, fileURLToPath(url)));
  if (!success || paths.length === 0) {
    throw new Error(`Cannot list the files of the package: ${text.trim()}`);
  }
  for (const path of paths) {
    await Deno.mkdir(dirname(join(out, path)), { recursive: true });
    await Deno.copyFile(join(ROOT, path), join(out, path));
  }
}

const OPTIONS = {
  out: { type: "string", value: "DIR", byDefault: ".cache/pack", help: "folder to write to" },
} as const satisfies Options;

/** The task `pack`. */
const PACK = {
  name: "pack",
  summary:
    "Builds the package for Deno, and the one for Node.js, which encodes and predicts with " +
    "exported graphs: a folder and an archive each.",
  usage: "[--out DIR]",
  options: OPTIONS,
  async run({ values: { out = join(ROOT, ".cache", "pack") } }) {
    const { version } = await readManifest();
    const name = "sentence-transformer";
    await writeDenoPackage(join(out, "deno", name));
    await writeNpmPackage(join(out, "npm", "package"));
    for (const [kind, folder] of [["deno", name], ["npm", "package"]] as const) {
      const archive = `${name}-${version}-${kind}.tgz`;
      await run("tar", ["-czf", archive, "-C", kind, folder], out);
      console.log(join(out, archive));
    }
  },
} satisfies Task<typeof OPTIONS>;

if (import.meta.main) await runTask(PACK);
