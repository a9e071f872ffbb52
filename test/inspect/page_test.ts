import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { parseHTML } from "linkedom";
import { openEngine } from "@/engine/engine.ts";
import type { Inspection } from "@/engine/inspect/inspection.ts";
import { findCompiler } from "@/engine/native/toolchain/find_compiler.ts";
import { type FunctionName, FUNCTIONS, inspectBuiltIn } from "@/inspect/functions.ts";
import { renderInspection } from "@/inspect/page.ts";

const ignore = findCompiler() === null;

/** The parts of linkedom's document that the tests use. */
type Element = {
  readonly id: string;
  readonly textContent: string;
  readonly tagName: string;
  getAttribute(name: string): string | null;
  querySelectorAll(selector: string): Iterable<Element>;
  querySelector(selector: string): Element | null;
};

async function open(
  name: FunctionName,
): Promise<{ page: Element; programs: readonly Inspection[] }> {
  await openEngine({ executor: "native", threads: 2 });
  const programs = await inspectBuiltIn(name);
  const { document } = parseHTML(renderInspection(name, programs)) as unknown as {
    document: Element;
  };
  return { page: document, programs };
}

for (const name of Object.keys(FUNCTIONS) as FunctionName[]) {
  Deno.test({
    name: `every link of the page of ${name} leads to an element, and every id is there once`,
    ignore,
    async fn() {
      const { page } = await open(name);
      const ids = [...page.querySelectorAll("[id]")].map(({ id }) => id);
      strictEqual(new Set(ids).size, ids.length);
      const links = [...page.querySelectorAll("a")].map((link) => link.getAttribute("href") ?? "");
      ok(links.length > 20, "premise: there are links");
      const known = new Set(ids.map((id) => `#${id}`));
      deepStrictEqual(links.filter((link) => !known.has(link)), []);
    },
  });
}

Deno.test({
  name: "a group is linked with its operations, its C, its instruction and its time",
  ignore,
  async fn() {
    const { page, programs: [attention] } = await open("attention");
    // group 1 is the softmax: mul, max, sub, exp, sum and div of the traced graph
    const parts = [...page.querySelectorAll('[data-group~="p0-g1"]')];
    const traced = parts.filter(({ id }) => id.startsWith("p0-traced-n"));
    deepStrictEqual(
      traced.map((row) => row.querySelectorAll("code")).map((cells) =>
        [...cells][1]?.textContent.split(" ")[0]
      ),
      ["mul", "max", "sub", "exp", "sum", "div"],
    );
    for (const row of traced) {
      strictEqual(row.querySelector("a[href='#p0-g1']")?.textContent, "group 1");
    }
    const kernel = attention?.groups[1]?.kernel ?? "";
    ok(parts.some(({ tagName, textContent }) => tagName === "PRE" && textContent.includes(kernel)));
    ok(parts.some(({ id }) => id === "p0-i0"), "the instruction of the product and its epilogue");
    ok(parts.some(({ id }) => id === "p0-t1"), "its time");
    const group = parts.find(({ tagName }) => tagName === "DIV");
    deepStrictEqual(
      [...group?.querySelectorAll("p a") ?? []].map((link) => link.getAttribute("href")).slice(-3),
      ["#p0-i0", `#p0-${kernel}`, "#p0-t1"],
    );
  },
});

Deno.test({
  name: "the page has one heading of the first level, skips none, and describes its figures",
  ignore,
  async fn() {
    const { page } = await open("step-mini");
    const levels = [...page.querySelectorAll("h1, h2, h3, h4")].map(({ tagName }) =>
      Number(tagName.slice(1))
    );
    strictEqual(levels.filter((level) => level === 1).length, 1);
    levels.reduce((before, level) => {
      ok(level <= before + 1, `h${level} after h${before}`);
      return level;
    }, 0);
    const figures = [...page.querySelectorAll("svg")];
    strictEqual(figures.length, 2, "the memory plans of the gradients and of the update");
    for (const figure of figures) {
      strictEqual(figure.getAttribute("role"), "img");
      ok((figure.querySelector("desc")?.textContent.length ?? 0) > 40);
    }
  },
});
