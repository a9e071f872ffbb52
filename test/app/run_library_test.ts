import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { createRunLibrary } from "@/app/run_library.ts";

/** A library of the runs a to d, and the order in which they are opened and closed. */
function createTraced(
  open: (folder: string) => Promise<string> = (folder) => Promise.resolve(folder),
) {
  const events: string[] = [];
  const library = createRunLibrary<string>({
    list: () => Promise.resolve([..."abcd"].map((name) => ({ name, folder: `runs/${name}` }))),
    open: (folder) => {
      events.push(`open ${folder}`);
      return open(folder);
    },
    close(folder) {
      events.push(`close ${folder}`);
    },
  });
  return { library, events };
}

Deno.test("a run is opened once, by requests that come together as well", async () => {
  const { library, events } = createTraced();
  deepStrictEqual(await library.names(), ["a", "b", "c", "d"]);
  const seen = await Promise.all([1, 2].map(() => library.use("a", (run) => Promise.resolve(run))));
  deepStrictEqual(seen, ["runs/a", "runs/a"]);
  deepStrictEqual(events, ["open runs/a"]);
});

Deno.test("the least recently used of three runs is closed, once nobody uses it", async () => {
  const { library, events } = createTraced();
  const use = (name: string) => library.use(name, () => Promise.resolve());
  const release = Promise.withResolvers<void>();
  const long = library.use("a", () => release.promise);
  for (const name of ["b", "c", "d"]) await use(name);
  await Promise.resolve();
  deepStrictEqual(events, [
    "open runs/a",
    "open runs/b",
    "open runs/c",
    "close runs/b",
    "open runs/d",
    "close runs/c",
  ]);
  release.resolve();
  await long;
  await use("b");
  await Promise.resolve();
  deepStrictEqual(events.slice(6), ["open runs/b", "close runs/a"]);
});

Deno.test("a run that could not be opened is tried again, and an unknown name lists the runs", async () => {
  let fails = true;
  const { library, events } = createTraced((folder) =>
    fails ? Promise.reject(new Error("no weights")) : Promise.resolve(folder)
  );
  const broken = library.use("a", () => Promise.resolve()).catch((error) => error);
  strictEqual((await broken).name, "BrokenRunError");
  strictEqual(
    (await broken).message,
    "Cannot open run a as its model must be whole: see the server's terminal",
  );
  strictEqual((await broken).cause.message, "no weights");
  fails = false;
  strictEqual(await library.use("a", (run) => Promise.resolve(run)), "runs/a");
  deepStrictEqual(events, ["open runs/a", "open runs/a"]);
  await rejects(library.use("e", () => Promise.resolve()), {
    name: "UnknownRunError",
    message: 'There is no run "e": choose one of a, b, c, d',
  });
});
