import { strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { describeUnknown, didYouMean, suggest, suggestPath } from "@/suggest.ts";

const OPTIONS = ["--pooling", "--normalize", "--precision", "--set", "--json", "--debug", "--help"];

Deno.test("suggest() corrects typos and different case, and completes beginnings", () => {
  const cases: [string, readonly string[], string | null][] = [
    ["--poling", OPTIONS, "--pooling"],
    ["--jsno", OPTIONS, "--json"], // neighbours swapped
    ["--normalise", OPTIONS, "--normalize"],
    ["--prec", OPTIONS, "--precision"],
    ["--size", OPTIONS, null],
    ["--lr", OPTIONS, null],
    ["-x", OPTIONS, null],
    ["cls_token", ["mean", "cls", "cls-token", "max"], "cls-token"],
    ["bert_base", ["quickstart", "minilm", "bert-base"], "bert-base"],
    ["bfloat16", ["float32", "mixed-bfloat16", "mixed-float16"], "mixed-bfloat16"],
    ["l3", ["none", "l1", "l2"], null], // as near to l1 as to l2
    ["gpu", ["cpu", "tensorflow"], null],
    ["sum", ["mean", "cls", "cls-token", "max"], null],
    ["", OPTIONS, null],
  ];
  for (const [word, known, right] of cases) strictEqual(suggest(word, known), right, word);
});

Deno.test("suggest() corrects a long word with any one character deleted, doubled or replaced", () => {
  const words = ["precision", "normalize", "training", "validation", "quickstart"];
  const slips = [
    (word: string, at: number) => word.slice(0, at) + word.slice(at + 1),
    (word: string, at: number) => word.slice(0, at + 1) + word.slice(at),
    (word: string, at: number) => word.slice(0, at) + "ж" + word.slice(at + 1),
  ];
  const chosen = fc.tuple(fc.constantFrom(...words), fc.constantFrom(...slips), fc.nat(7));
  fc.assert(fc.property(chosen, ([word, slip, at]) => {
    strictEqual(suggest(slip(word, at), words), word);
  }));
});

Deno.test("suggestPath() finds a path by all its keys, else by its last key if that is unique", () => {
  const known = [
    "preset",
    "model.source",
    "model.maxLength",
    "training.maxSteps",
    "training.batchRows",
    "training.learningRate.top",
    "native.threads",
    "tasks.0.name",
    "tasks.1.name",
  ];
  const cases: [string, string | null][] = [
    ["training.maxStep", "training.maxSteps"],
    ["trainig.maxsteps", "training.maxSteps"],
    ["maxSteps", "training.maxSteps"],
    ["model.maxSteps", "training.maxSteps"],
    ["threds", "native.threads"],
    ["training.max_steps", "training.maxSteps"],
    ["training.lr", null],
    ["name", null], // two tasks have one
    ["tasks.0.nam", "tasks.0.name"],
  ];
  for (const [path, right] of cases) strictEqual(suggestPath(path, known), right, path);
});

Deno.test("describeUnknown() lists the known words only if none is near", () => {
  const known = ["step-mini", "encode", "ops"];
  strictEqual(
    describeUnknown("step-min", { what: "benchmark", known }),
    "there is no benchmark step-min (did you mean step-mini?)",
  );
  strictEqual(
    describeUnknown("cook", { what: "benchmark", known }),
    "benchmark cook is not one of step-mini, encode, ops",
  );
  strictEqual(didYouMean("cook", known), "");
});
