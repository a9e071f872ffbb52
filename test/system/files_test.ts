import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import {
  explainWriteError,
  isFile,
  isFolder,
  readBytes,
  readJson,
  readText,
  removePartials,
  replaceFile,
  writeFileAtomic,
} from "@/system/files.ts";
import { isSystemError } from "@/engine/system.ts";

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const UTF16_JSON = Array.from('{"a":1}', (character) => character.charCodeAt(0));

const namesIn = async (folder: string) =>
  (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);

Deno.test("writeFileAtomic() writes text and bytes, creates folders, replaces files, leaves no temporary files", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "a", "b", "file.txt");
    await writeFileAtomic(path, "first, and longer");
    strictEqual(await Deno.readTextFile(path), "first, and longer");
    await writeFileAtomic(path, "é 😀");
    strictEqual(await Deno.readTextFile(path), "é 😀");
    await writeFileAtomic(path, new Uint8Array([0, 255]));
    deepStrictEqual(await Deno.readFile(path), new Uint8Array([0, 255]));
    deepStrictEqual(await namesIn(join(folder, "a", "b")), ["file.txt"]);
  });
});

Deno.test("writeFileAtomic() keeps the old file and no temporary files when it fails", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "taken");
    await Deno.mkdir(join(path, "inside"), { recursive: true }); // a folder cannot be renamed over
    await rejects(() => writeFileAtomic(path, "x"));
    deepStrictEqual(await namesIn(folder), ["taken"]);
    deepStrictEqual(await namesIn(path), ["inside"]);
  });
});

Deno.test("writeFileAtomic() is atomic for concurrent writers", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "file");
    const contents = Array.from({ length: 8 }, (_, index) => String(index).repeat(100_000));
    await Promise.all(contents.map((content) => writeFileAtomic(path, content)));
    strictEqual(contents.includes(await Deno.readTextFile(path)), true);
    deepStrictEqual(await namesIn(folder), ["file"]);
  });
});

Deno.test("removePartials() removes only temporary files of killed writers, also in subfolders", async () => {
  await withFolder(async (folder) => {
    let partial = "";
    await replaceFile(join(folder, "model", "whole"), async () => {
      [partial = ""] = await namesIn(join(folder, "model")); // as a kill would leave it
    });
    await Deno.writeTextFile(join(folder, "model", partial), "half");
    await Deno.writeTextFile(join(folder, partial), "half");
    await Deno.writeTextFile(join(folder, "mine.partial"), "");
    await removePartials(folder);
    deepStrictEqual((await namesIn(folder)).sort(), ["mine.partial", "model"]);
    deepStrictEqual(await namesIn(join(folder, "model")), ["whole"]);
  });
});

Deno.test("explainWriteError() adds the path to system errors and returns other errors unchanged", () => {
  const full = new Error("No space left on device (os error 28), open 'x'");
  const explained = explainWriteError("run/metrics.jsonl", full);
  deepStrictEqual(
    explained,
    new Error(
      "Cannot write run/metrics.jsonl: No space left on " +
        "device (os error 28)",
    ),
  );
  const denied = new Deno.errors.PermissionDenied("Permission denied (os error 13): mkdir 'x'");
  strictEqual(explainWriteError("x", denied) instanceof Deno.errors.PermissionDenied, true);
  const other = new RangeError("Cannot count");
  strictEqual(explainWriteError("x", other), other);
});

Deno.test("readJson() reports role and path of a missing, wrong or invalid file", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "config.json");
    await rejects(() => readJson(path, "run configuration"), {
      name: "NotFound",
      message: `Cannot read run configuration: ${path} does not exist`,
    });
    await rejects(() => readText(folder, "run configuration"), {
      name: "IsADirectory",
      message: `Cannot read run configuration: ${folder} is a folder, not a file`,
    });
    await Deno.writeTextFile(path, '{"a": ');
    await rejects(() => readJson(path, "run configuration"), {
      name: "SyntaxError",
      message: new RegExp(
        `^Cannot read run configuration: ${path} is not valid JSON \\(Unexpected end`,
      ),
    });
    await writeFileAtomic(path, '{"a": [1, null]}');
    deepStrictEqual(await readJson(path, "run configuration"), { a: [1, null] });
  });
});

Deno.test("readText() and readJson() decode by byte-order mark and report the file of invalid bytes", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "config.json");
    await writeFileAtomic(path, '\ufeff{"a": "é"}');
    deepStrictEqual(await readJson(path, "run configuration"), { a: "é" });
    // {"a":1} as PowerShell's > writes it
    await writeFileAtomic(path, new Uint8Array(new Uint16Array([0xfeff, ...UTF16_JSON]).buffer));
    deepStrictEqual(await readJson(path, "run configuration"), { a: 1 });
    await writeFileAtomic(path, new Uint8Array([0x7b, 0x22, 0xe9, 0x22, 0x3a, 0x31, 0x7d]));
    await rejects(() => readJson(path, "run configuration"), {
      name: "EncodingError",
      message: `Cannot read run configuration: ${path} is not UTF-8 (line 1, byte offset 2 is ` +
        "0xE9); it looks like Latin-1 or Windows-1252: convert it to UTF-8, for example with " +
        "iconv -f WINDOWS-1252 -t UTF-8",
    });
  });
});

Deno.test("isFile() and isFolder() distinguish files, folders and missing paths", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "x");
    deepStrictEqual([await isFile(path), await isFolder(path)], [false, false]);
    await Deno.writeTextFile(path, "");
    deepStrictEqual([await isFile(path), await isFolder(path)], [true, false]);
    deepStrictEqual([await isFile(folder), await isFolder(folder)], [false, true]);
  });
});

Deno.test("readBytes() and similar functions reject pointers and web pages in place of a file", async () => {
  const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 466062\n";
  const lfs =
    "a Git LFS pointer to 466062 bytes instead of the file itself; run `git lfs pull` in its " +
    "repository, or download the file";
  const page =
    "a web page instead of the file itself; download the file again, signing in if its host requires it";
  const annex =
    "a git-annex pointer instead of the file itself; run `git annex get` in its repository, or " +
    "download the file";
  const others: [name: string, content: string, kind: string][] = [
    ["tokenizer.json", pointer, lfs],
    ["vocab.txt", pointer, lfs],
    ["train.parquet", pointer.replaceAll("\n", "\r\n"), lfs],
    [
      "model.onnx",
      "version https://hawser.github.com/spec/v1\n",
      lfs.replace(" to 466062 bytes", ""),
    ],
    ["a.parquet", "/annex/objects/SHA256E-s4--ab.parquet\n", annex],
    ["config.json", "<!DOCTYPE html>\n<html lang=en>", page],
    ["modules.json", "\ufeff\r\n <HTML><head>", page],
    ["vocab.txt", '<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', page],
    ["metrics.json", "<Error>", page],
  ];
  await withFolder(async (folder) => {
    for (const [name, content, kind] of others) {
      const path = join(folder, name), message = `Cannot read role: ${path} is ${kind}`;
      await Deno.writeTextFile(path, content);
      const error = { name: "RangeError", message };
      await rejects(readBytes(path, "role"), error, content);
      await rejects(readText(path, "role"), error);
      await rejects(readJson(path, "role"), error);
    }
    // pages that are meant to be pages, and words that only begin alike
    for (
      const [name, content] of [["report.html", "<!doctype html>"], ["a.txt", "<htmlish>"], [
        "b.txt",
        "version https",
      ]]
    ) {
      const path = join(folder, name ?? "");
      await Deno.writeTextFile(path, content ?? "");
      strictEqual(await readText(path, "role"), content);
    }
  });
});

Deno.test("isSystemError() distinguishes system errors from errors caused by bugs", async () => {
  const missing = await Deno.stat("no/such/file").catch((error: unknown) => error);
  const long = await Deno.stat("x".repeat(300)).catch((error: unknown) => error);
  strictEqual(isSystemError(missing), true);
  strictEqual(isSystemError(long), true);
  strictEqual(isSystemError(explainWriteError("a", long)), true);
  for (const defect of [new TypeError("x is not a function"), new Error("internal: x"), "text"]) {
    strictEqual(isSystemError(defect), false);
  }
  for (const path of ["x".repeat(300), "a\0b", "", join("no", "such")]) {
    deepStrictEqual([await isFile(path), await isFolder(path)], [false, false]);
  }
});
