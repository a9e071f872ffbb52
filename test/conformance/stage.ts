/**
 * Stages TensorFlow.js's own test files for Deno: its package ships them as modules whose imports lack file
 * extensions.
 * @module
 */
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";

/** Imports from outside the package, as modules that re-export the names used from them. */
const OUTSIDE = {
  seedrandom: (url: string) => `import m from "${url}"; export const alea = m.alea;`,
  long: (url: string) => `import m from "${url}"; export default m;`,
} as const;

/** Makes `describeWithFlags` report suites for another environment, mostly a browser. */
const SKIP = "else globalThis.noteSkippedSuite(name);";

const require = createRequire(import.meta.url);

/** The `dist` folder of the tfjs-core that `@tensorflow/tfjs` runs on. */
export function findCore(): string {
  const tfjs = createRequire(require.resolve("@tensorflow/tfjs"));
  return dirname(tfjs.resolve("@tensorflow/tfjs-core"));
}

/** All test files below `dist`, as paths from there. */
export function findTestFiles(dist: string, folder = ""): string[] {
  return [...Deno.readDirSync(join(dist, folder))].flatMap(({ name, isDirectory }) => {
    const path = join(folder, name);
    if (isDirectory) return findTestFiles(dist, path);
    return name.endsWith("_test.js") ? [path] : [];
  }).sort();
}

/** Copies everything that `files` import into `target` and completes the imports; the caller provides jasmine. */
export function stageTests(dist: string, files: readonly string[], target: string): void {
  const core = createRequire(join(dist, "index.js"));
  const seen = new Set<string>();
  const open = [...files];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    const folder = dirname(file);
    const complete = (_: string, keyword: string, specifier: string): string => {
      if (!specifier.startsWith(".")) {
        const make = OUTSIDE[specifier as keyof typeof OUTSIDE];
        if (make === undefined) return `${keyword}"node:${specifier}"`;
        const url = pathToFileURL(core.resolve(specifier)).href;
        Deno.writeTextFileSync(join(target, `${specifier}.js`), make(url));
        const path = relative(folder, `${specifier}.js`);
        return `${keyword}"${path.startsWith(".") ? path : `./${path}`}"`;
      }
      const isFolder = /(^|\/)\.{1,2}$/.test(specifier);
      const name = isFolder ? `${specifier}/index.js` : `${specifier.replace(/\.js$/, "")}.js`;
      open.push(join(folder, name));
      return `${keyword}"${name}"`;
    };
    const source = Deno.readTextFileSync(join(dist, file))
      .replace(/\n\/\/# sourceMappingURL=.*/g, "")
      .replace(/^const jasmine(Require|Core) = .*$/gm, "")
      .replace(/^Error\.stackTraceLimit.*$|^jasmineCore\..*$/gm, "")
      .replace("executeTests(testName, tests, testEnv);\n        }", (found) => `${found} ${SKIP}`)
      .replace(/^((?:import|export)\s[^;'"]*?from\s*|import\s+)['"]([^'"]+)['"]/gm, complete);
    const path = join(target, file);
    Deno.mkdirSync(dirname(path), { recursive: true });
    Deno.writeTextFileSync(path, source);
  }
}
