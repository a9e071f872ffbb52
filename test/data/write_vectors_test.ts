import { deepStrictEqual, rejects, strictEqual, throws } from "node:assert/strict";
import { join } from "node:path";
import pl from "nodejs-polars";
import { findVectorFormat, writeVectors } from "@/data/write_vectors.ts";
import { withFolder } from "./fixtures.ts";

const TEXTS = ["a kettle", "", 'crêpe "😀"\n'];
const VECTORS = [[0.1, -2], [3e-8, 4], [5, 6.5]].map((values) => Float32Array.from(values));

/** File written by NumPy 2.4.6: numpy.save(file, numpy.array([[0.1, -2], [3e-8, 4], [5, 6.5]], numpy.float32)). */
const NUMPY_FILE = Uint8Array.fromBase64(
  "k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDMsIDIp" +
    "LCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIArNzMw9" +
    "AAAAwFnZADMAAIBAAACgQAAA0EA=",
);

async function* inChunks(vectors: readonly Float32Array[], size: number) {
  for (let at = 0; at < vectors.length; at += size) yield await vectors.slice(at, at + size);
}

async function* failAfterOne() {
  yield await VECTORS.slice(0, 1);
  throw new RangeError("Cannot encode");
}

const rowsOf = (size: number) => ({ texts: TEXTS, width: 2, chunks: inChunks(VECTORS, size) });

Deno.test("writeVectors() writes the same .npy bytes as NumPy, in chunks of any size", async () => {
  await withFolder(async (folder) => {
    for (const size of [1, 2, 3]) {
      const path = join(folder, "new", `${size}.NPY`);
      await writeVectors(path, rowsOf(size));
      deepStrictEqual(await Deno.readFile(path), NUMPY_FILE);
    }
    const path = join(folder, "none.npy");
    await writeVectors(path, { texts: [], width: 384, chunks: inChunks([], 1) });
    const bytes = await Deno.readFile(path);
    strictEqual(bytes.length, 128, "a head alone, its length a multiple of 64");
    strictEqual(new TextDecoder().decode(bytes.slice(10)).includes("'shape': (0, 384), }"), true);
  });
});

Deno.test("writeVectors() writes .parquet with texts and vectors in order", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "v.parquet");
    await writeVectors(path, rowsOf(2));
    const frame = pl.readParquet(path);
    deepStrictEqual(frame.columns, ["text", "embedding"]);
    strictEqual(String(frame.schema["embedding"]), String(pl.List(pl.Float32)));
    deepStrictEqual(
      frame.toRecords(),
      TEXTS.map((text, i) => ({ text, embedding: [...VECTORS[i] ?? []] })),
    );
    await writeVectors(path, { texts: [], width: 2, chunks: inChunks([], 1) });
    const none = pl.readParquet(path);
    deepStrictEqual([none.height, none.columns], [0, ["text", "embedding"]]);
  });
});

Deno.test("writeVectors() keeps the old file if a vector cannot be computed", async () => {
  await withFolder(async (folder) => {
    for (const name of ["v.npy", "v.parquet"]) {
      const path = join(folder, name);
      await Deno.writeTextFile(path, "old");
      await rejects(writeVectors(path, { texts: TEXTS, width: 2, chunks: failAfterOne() }), {
        message: "Cannot encode",
      });
      strictEqual(await Deno.readTextFile(path), "old");
    }
    const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
    deepStrictEqual(names.sort(), ["v.npy", "v.parquet"]);
  });
});

Deno.test("findVectorFormat() rejects other file extensions", () => {
  strictEqual(findVectorFormat("a/b.Parquet"), ".parquet");
  throws(() => findVectorFormat("v.csv"), {
    name: "RangeError",
    message: "Cannot write vectors to v.csv: its name must end in .npy or .parquet",
  });
  throws(() => findVectorFormat("v.npz"), {
    message:
      "Cannot write vectors to v.npz: its name must end in .npy or .parquet (did you mean .npy?)",
  });
});
