import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { join } from "node:path";
import { openSafetensors, writeSafetensors } from "@/model/safetensors.ts";

/** Runs `test` with a path in a temporary folder. */
async function withFile(test: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(join(folder, "x.safetensors"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A file with the given JSON header and data; `length` overrides the length field. */
function fileOf(json: string, data: readonly number[], length?: bigint): Uint8Array {
  const header = new TextEncoder().encode(json);
  const bytes = new Uint8Array(8 + header.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(header.length), true);
  bytes.set(header, 8);
  bytes.set(data, 8 + header.length);
  return bytes;
}

/** The values of tensor `name` in a file with the given header and data. */
async function readOnly(header: unknown, data: readonly number[], name: string) {
  let values: Float32Array = new Float32Array();
  await withFile(async (path) => {
    await Deno.writeFile(path, fileOf(JSON.stringify(header), data));
    using file = await openSafetensors(path);
    values = await file.read(name);
  });
  return [...values];
}

Deno.test("openSafetensors() reads float32 by offset, independent of the order in the header", async () => {
  const header = {
    b: { dtype: "F32", shape: [1], data_offsets: [8, 12] },
    a: { dtype: "F32", shape: [2, 1], data_offsets: [0, 8] },
  };
  // 1 = 3f800000, −2 = c0000000, 0.5 = 3f000000, little-endian
  const data = [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 0, 0, 0, 0x3f];
  deepStrictEqual(await readOnly(header, data, "a"), [1, -2]);
  deepStrictEqual(await readOnly(header, data, "b"), [0.5]);
});

Deno.test("openSafetensors() converts bfloat16, the upper half of a float32", async () => {
  const header = { x: { dtype: "BF16", shape: [4], data_offsets: [0, 8] } };
  // 3f80 = 1, c000 = −2, 7f80 = ∞, 0001 = 2^-133
  const data = [0x80, 0x3f, 0, 0xc0, 0x80, 0x7f, 1, 0];
  deepStrictEqual(await readOnly(header, data, "x"), [1, -2, Infinity, 2 ** -133]);
});

Deno.test("openSafetensors() converts float16, including subnormals, maximum, infinity and NaN", async () => {
  const header = { x: { dtype: "F16", shape: [7], data_offsets: [0, 14] } };
  // 3c00 = 1, c000 = −2, 0001 = 2^-24, 7bff = 65504, fc00 = −∞, 7e00 = NaN, 3555 = 0.333251953125
  const data = [0, 0x3c, 0, 0xc0, 1, 0, 0xff, 0x7b, 0, 0xfc, 0, 0x7e, 0x55, 0x35];
  const wanted = [1, -2, 2 ** -24, 65504, -Infinity, NaN, 0.333251953125];
  deepStrictEqual(await readOnly(header, data, "x"), wanted);
});

Deno.test("openSafetensors() rounds float64 to float32", async () => {
  const header = { x: { dtype: "F64", shape: [2], data_offsets: [0, 16] } };
  const values = Float64Array.of(0.1, -2);
  deepStrictEqual(await readOnly(header, [...new Uint8Array(values.buffer)], "x"), [
    Math.fround(0.1),
    -2,
  ]);
});

/** Headers that the Python package safetensors 0.8.0 accepts. "A" stands for the entry of 2 floats; the data is 8 zeros. */
const ACCEPTED: Record<string, string> = {
  "null as metadata": '{"__metadata__":null,"a":A}',
  "no metadata": '{"a":A}',
  "empty metadata": '{"__metadata__":{},"a":A}',
  "spaces around the header": '  {"a":A} \n\t ',
  "another key in an entry": '{"a":{"extra":1,"dtype":"F32","shape":[2],"data_offsets":[0,8]}}',
  "tensors without elements": '{"y":{"dtype":"F32","shape":[0,3],"data_offsets":[0,0]},"a":A,' +
    '"z":{"dtype":"I64","shape":[0],"data_offsets":[8,8]}}',
  "types that encoders do not use":
    '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"f8":{"dtype":"F8_E8M0",' +
    '"shape":[1],"data_offsets":[4,5]},"f6":{"dtype":"F6_E3M2","shape":[4],"data_offsets":[5,8]}}',
};

for (const [what, json] of Object.entries(ACCEPTED)) {
  Deno.test(`openSafetensors() accepts ${what}, as safetensors 0.8.0 does`, async () => {
    await withFile(async (path) => {
      const header = json.replace("A", '{"dtype":"F32","shape":[2],"data_offsets":[0,8]}');
      await Deno.writeFile(path, fileOf(header, Array(8).fill(0)));
      using file = await openSafetensors(path);
      deepStrictEqual(file.metadata, {});
      strictEqual((await file.read("a")).every((value) => value === 0), true);
      for (const name of ["y", "z"]) {
        if (file.entries.has(name)) strictEqual(file.entries.get(name)?.shape[0], 0);
      }
    });
  });
}

Deno.test("writeSafetensors() and openSafetensors() round-trip names, shapes, bits and metadata", async () => {
  const tensor = fc.record({
    shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }),
    seed: fc.float(),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(fc.string({ minLength: 1 }), tensor, { maxKeys: 5 }),
      async (tensors) => {
        const list = Object.entries(tensors).map(([name, { shape, seed }]) => ({
          name,
          shape,
          values: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(seed),
        }));
        await withFile(async (path) => {
          await writeSafetensors(path, list.map((t) => ({ ...t, read: () => t.values })), {
            metadata: { format: "pt", note: "é" },
          });
          using file = await openSafetensors(path);
          deepStrictEqual(file.metadata, { format: "pt", note: "é" });
          strictEqual(file.entries.size, list.length);
          for (const { name, shape, values } of list) {
            deepStrictEqual(file.entries.get(name)?.shape, shape);
            strictEqual((file.entries.get(name)?.begin ?? NaN) % 4, 0);
            deepStrictEqual([...await file.read(name)], [...values]);
          }
        });
      },
    ),
    { numRuns: 40 },
  );
});

Deno.test("writeSafetensors() keeps the old file if a tensor cannot be read", async () => {
  await withFile(async (path) => {
    await Deno.writeTextFile(path, "old");
    const broken = { name: "x", shape: [1], read: () => Promise.reject(new Error("lost")) };
    await rejects(writeSafetensors(path, [broken]), { message: "lost" });
    strictEqual(await Deno.readTextFile(path), "old");
    const names = [...Deno.readDirSync(join(path, ".."))].map(({ name }) => name);
    deepStrictEqual(names, ["x.safetensors"]);
  });
});

const F32 = (shape: unknown, offsets: unknown) => ({ dtype: "F32", shape, data_offsets: offsets });

const DAMAGED: readonly (readonly [string, Uint8Array, string])[] = [
  [
    "file shorter than its length field",
    new Uint8Array(5),
    "Cannot read tensors: PATH must have a header of at least 8 bytes, but the file has 5",
  ],
  [
    "header longer than the file",
    fileOf("{}", [], 2n ** 63n),
    "Cannot read tensors: the header of PATH must have 2 to 2 bytes, but has 9223372036854775808",
  ],
  [
    "header that is not JSON",
    fileOf("{x}", []),
    "Cannot read tensors: the header of PATH must be JSON in UTF-8",
  ],
  [
    "header that is a list",
    fileOf("[]", []),
    "Cannot read tensors: the header of PATH must be a JSON object",
  ],
  [
    "non-string metadata value",
    fileOf('{"__metadata__":{"a":1}}', []),
    "Cannot read tensors: __metadata__ of PATH must map strings to strings",
  ],
  [
    "metadata that is a list",
    fileOf('{"__metadata__":[]}', []),
    "Cannot read tensors: __metadata__ of PATH must map strings to strings",
  ],
  [
    "Git LFS pointer",
    new TextEncoder().encode(
      "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 90868376\n",
    ),
    "Cannot read tensors: PATH is a Git LFS pointer to 90868376 bytes instead of the file itself; run `git lfs pull` in its repository, or download the file",
  ],
  [
    "web page",
    new TextEncoder().encode("\n<!DOCTYPE html><html><body>Sign in</body></html>"),
    "Cannot read tensors: PATH is a web page instead of the file itself; download the file again, signing in if its host requires it",
  ],
  [
    "descending pair of offsets",
    fileOf(JSON.stringify({ w: F32([1], [4, 0]) }), [0, 0, 0, 0]),
    'Cannot read tensor "w" of PATH: its data_offsets must be two ascending integers from 0 to 4, but is [4,0]',
  ],
  [
    "pickle named like a safetensors file",
    Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0, 8, 8, 0, 0, 0, 0),
    "Cannot read tensors: PATH is not a safetensors file but a pickled PyTorch object in a ZIP archive. Save the model again with save_pretrained(…, safe_serialization=True)",
  ],
  [
    "unknown dtype",
    fileOf(JSON.stringify({ w: { dtype: "F31", shape: [1], data_offsets: [0, 4] } }), [0, 0, 0, 0]),
    'Cannot read tensor "w" of PATH: its dtype must be one of BOOL, U8, I8, F4, F6_E2M3, F6_E3M2, F8_E4M3, F8_E4M3FNUZ, F8_E5M2, F8_E5M2FNUZ, F8_E8M0, U16, I16, F16, BF16, U32, I32, F32, U64, I64, F64, C64, but is "F31"',
  ],
  [
    "negative size",
    fileOf(JSON.stringify({ w: F32([-1], [0, 4]) }), [0, 0, 0, 0]),
    'Cannot read tensor "w" of PATH: its shape must be a list of non-negative integers, but is [-1]',
  ],
  [
    "tensor that ends beyond the file",
    fileOf(JSON.stringify({ w: F32([2], [0, 8]) }), [0, 0, 0, 0]),
    // 8 + 54 bytes of header, then the 8 that the tensor needs
    'Cannot read tensor "w": PATH is truncated. It has 66 of at least 70 bytes. Download or copy it again',
  ],
  [
    "offsets that do not fit the shape",
    fileOf(JSON.stringify({ w: F32([2, 3], [0, 4]) }), [0, 0, 0, 0]),
    'Cannot read tensor "w" of PATH: its data_offsets must be 24 bytes apart, the size of F32 [2,3], but is [0,4]',
  ],
  [
    "shape whose product overflows",
    fileOf(JSON.stringify({ w: F32([2 ** 40, 2 ** 40], [0, 4]) }), [0, 0, 0, 0]),
    'Cannot read tensor "w" of PATH: its data_offsets must be 4.835703278458517e+24 bytes apart, the size of F32 [1099511627776,1099511627776], but is [0,4]',
  ],
  [
    "overlapping pair", // 8 + 107 bytes of header, then data
    fileOf(JSON.stringify({ a: F32([2], [0, 8]), b: F32([1], [4, 8]) }), [0, 0, 0, 0, 0, 0, 0, 0]),
    'Cannot read tensor "b" of PATH: it must begin at byte 123, where the previous tensor ends, but begins at byte 119',
  ],
  [
    "byte that belongs to no tensor", // 8 + 54 bytes of header, then data
    fileOf(JSON.stringify({ a: F32([1], [0, 4]) }), [0, 0, 0, 0, 9]),
    "Cannot read tensors: PATH must end at byte 66, where its last tensor ends, but has bytes up to 67",
  ],
];

for (const [what, bytes, message] of DAMAGED) {
  Deno.test(`openSafetensors() rejects a ${what}`, async () => {
    await withFile(async (path) => {
      await Deno.writeFile(path, bytes);
      await rejects(openSafetensors(path), { message: message.replace("PATH", path) });
    });
  });
}

Deno.test("openSafetensors() reports a missing file", async () => {
  await withFile(async (path) => {
    await rejects(openSafetensors(path), {
      name: "NotFound",
      message: `Cannot read tensors: there is no file ${path}`,
    });
  });
});

Deno.test("read() reports tensors that are missing or not floating point", async () => {
  await withFile(async (path) => {
    const header = { n: { dtype: "I64", shape: [1], data_offsets: [0, 8] } };
    await Deno.writeFile(path, fileOf(JSON.stringify(header), [0, 0, 0, 0, 0, 0, 0, 0]));
    using file = await openSafetensors(path);
    await rejects(file.read("m"), {
      message: `Cannot read tensor "m": ${path} does not contain it`,
    });
    await rejects(file.read("n"), {
      message:
        `Cannot read tensor "n" of ${path}: its dtype must be one of F32, F16, BF16, F64, but is I64`,
    });
  });
});

Deno.test("a mutated file causes a clear error or tensors within the file, never anything else", async () => {
  const good = fileOf(
    JSON.stringify({ __metadata__: { format: "pt" }, a: F32([2, 1], [0, 8]), b: F32([], [8, 12]) }),
    Array.from({ length: 12 }, (_, i) => i),
  );
  await withFile(async (path) => {
    const change = fc.tuple(fc.nat(good.length - 1), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        const bytes = good.slice();
        for (const [at, value] of changes) bytes[at] = value;
        await Deno.writeFile(path, bytes);
        try {
          using file = await openSafetensors(path);
          for (const { name, begin, end } of file.entries.values()) {
            ok(begin >= 8 && end <= bytes.length, name);
            await file.read(name);
          }
        } catch (error) {
          ok(error instanceof RangeError || error instanceof SyntaxError, String(error));
          ok(error.message.startsWith("Cannot read tensor"), error.message);
        }
      }),
      { numRuns: 300 },
    );
  });
});
