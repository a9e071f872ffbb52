import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { dirname, join } from "node:path";
import { findFrontEnd, findKernel, isInNpmCache, listKernelFolders } from "@/notebook/jupyter.ts";

/** Runs the task with a separate home folder and PATH. */
async function runLab(home: string, args: readonly string[], deno = Deno.execPath()) {
  const { code, stdout, stderr } = await new Deno.Command(deno, {
    args: ["run", "--allow-all", "--no-check", "lib/cli/lab.ts", ...args],
    env: { HOME: home, PATH: join(home, "bin"), NO_COLOR: "1", DENO_DIR: await findCache() },
    clearEnv: true,
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), error: decoder.decode(stderr) };
}

/** Deno's cache folder, which Deno would otherwise look for in the new home folder. */
async function findCache(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  return String(JSON.parse(new TextDecoder().decode(stdout)).denoDir);
}

async function withHome(test: (home: string) => Promise<void>): Promise<void> {
  const home = await Deno.makeTempDir();
  try {
    await Deno.mkdir(join(home, "bin"));
    await test(home);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

Deno.test("lab explains what is missing, installs the kernel, and passes the arguments after -- to JupyterLab", async () => {
  await withHome(async (home) => {
    const missing = await runLab(home, []);
    strictEqual(missing.code, 0, missing.error);
    match(missing.out, /^kernel {3}not installed: run `deno task lab --install`/m);
    match(missing.out, /^jupyter {2}not found on the PATH: run `pip install jupyterlab`/m);
    ok(!missing.out.includes("Opening"));

    const program = join(home, "bin", "jupyter-lab");
    await Deno.writeTextFile(program, '#!/bin/sh\nprintf "opened"; printf " <%s>" "$@"\n', {
      mode: 0o755,
    });
    const installed = await runLab(home, ["--install"]);
    strictEqual(installed.code, 0, installed.error);
    match(installed.out, /^kernel {3}\S+kernels\/deno\/kernel\.json$/m);
    ok(!installed.out.includes("opened"), "installing opens nothing");

    const checked = await runLab(home, ["--check"]);
    ok(!checked.out.includes("opened"));
    const opened = await runLab(home, ["--", "--no-browser", "--allow-root", "--port=1"]);
    match(
      opened.out,
      /Opening notebooks in \S+jupyter-lab; press Ctrl\+C to stop\.\nopened <notebooks> <--no-browser> <--allow-root> <--port=1>$/,
    );
    await Deno.writeTextFile(program, "#!/bin/sh\nexit 3\n");
    strictEqual((await runLab(home, [])).code, 1, "a front end that fails");
  });
});

Deno.test("lab installs a kernel that works after the npm cache that contains Deno is deleted", async () => {
  await withHome(async (home) => {
    const cached = join(home, "_npx", "1", "node_modules", "deno", "deno");
    await Deno.mkdir(dirname(cached), { recursive: true });
    await Deno.copyFile(Deno.execPath(), cached);
    const plain = { args: ["jupyter", "--install"], env: { HOME: home }, stderr: "null" as const };
    ok((await new Deno.Command(cached, plain).output()).success);
    const kernel = join(home, ".local/share/jupyter/kernels/deno/kernel.json");
    match(await Deno.readTextFile(kernel), /_npx/, "premise: Deno alone names the cache");
    const before = await runLab(home, ["--check"], cached);
    match(
      before.out,
      /deno lies in a cache that npm cleans; run `deno task lab --install` to repair it/,
    );
    const installed = await runLab(home, ["--install"], cached);
    strictEqual(installed.code, 0, installed.error);
    ok(!installed.out.includes("repair"), installed.out);

    const { argv: [program = "", ...args] } = JSON.parse(await Deno.readTextFile(kernel));
    strictEqual(program, join(dirname(kernel), "deno"));
    deepStrictEqual(args, ["jupyter", "--kernel", "--conn", "{connection_file}"]);
    await Deno.remove(join(home, "_npx"), { recursive: true });
    const { success, stdout } = await new Deno.Command(program, { args: ["--version"] }).output();
    ok(success);
    match(new TextDecoder().decode(stdout), new RegExp(`^deno ${Deno.version.deno} `));
    ok(!(await runLab(home, ["--check"])).out.includes("repair"));

    await Deno.remove(join(dirname(kernel), "deno"));
    match((await runLab(home, ["--check"])).out, /kernel\.json: there is no \S+deno; /);
    const again = await runLab(home, ["--install"]);
    strictEqual(again.code, 0, again.error);
    ok(!again.out.includes("repair"), again.out);
  });
});

Deno.test("isInNpmCache() recognizes folders of npx and of packages on every system", () => {
  strictEqual(isInNpmCache("/Users/a/.npm/_npx/7a/node_modules/deno/deno"), true);
  strictEqual(isInNpmCache("C:\\a\\npm-cache\\_npx\\7a\\node_modules\\deno\\deno.exe"), true);
  strictEqual(isInNpmCache("/usr/local/bin/deno"), false);
});

Deno.test("findKernel() and findFrontEnd() search the same folders as Jupyter", async () => {
  const folders = (os: typeof Deno.build.os, given: Readonly<Record<string, string>>) =>
    listKernelFolders({ os, read: (name) => given[name] });
  deepStrictEqual(folders("linux", { HOME: "/h" }).slice(0, 2), [
    "/h/.local/share/jupyter/kernels",
    "/usr/local/share/jupyter/kernels",
  ]);
  deepStrictEqual(folders("darwin", { HOME: "/h" })[0], "/h/Library/Jupyter/kernels");
  deepStrictEqual(folders("linux", { HOME: "/h", JUPYTER_PATH: "/a:/b" }).slice(0, 2), [
    "/a/kernels",
    "/b/kernels",
  ]);
  await withHome(async (home) => {
    const given: Readonly<Record<string, string>> = {
      JUPYTER_DATA_DIR: home,
      PATH: join(home, "bin"),
    };
    const place = { os: "linux", read: (name: string) => given[name] } as const;
    deepStrictEqual(await findFrontEnd(place), null);
    await Deno.mkdir(join(home, "kernels", "deno"), { recursive: true });
    await Deno.writeTextFile(join(home, "kernels", "deno", "kernel.json"), "{}");
    strictEqual(await findKernel(place), join(home, "kernels", "deno", "kernel.json"));
    await Deno.writeTextFile(join(home, "bin", "jupyter"), "");
    deepStrictEqual(await findFrontEnd(place), {
      path: join(home, "bin", "jupyter"),
      args: ["lab"],
    });
  });
});
