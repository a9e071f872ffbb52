import { deepStrictEqual, strictEqual } from "node:assert/strict";
import {
  addCounts,
  countTests,
  formatCounts,
  type Part,
  runPart,
} from "@/cli/development/test_parts.ts";
import { join } from "node:path";

Deno.test("countTests() counts test cases by outcome", () => {
  const report = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="5" failures="2" errors="0" time="0.075">
    <testsuite name="./a_test.ts" tests="5" disabled="1" errors="0" failures="2">
        <testcase name="good &lt;failure&gt;" classname="./a_test.ts" time="0.000" line="1" col="6">
        </testcase>
        <testcase name="bad" classname="./a_test.ts" time="0.001" line="2" col="6">
            <failure message="Uncaught Error: x">Error: &lt;skipped/&gt;</failure>
        </testcase>
        <testcase name="left out" classname="./a_test.ts" time="0.000" line="3" col="11">
            <skipped/>
        </testcase>
        <testcase name="short" />
        <testcase name="steps &gt; s2"><failure message="x">y</failure></testcase>
    </testsuite>
</testsuites>`;
  deepStrictEqual(countTests(report), { passed: 2, failed: 2, skipped: 1 });
  deepStrictEqual(countTests(""), { passed: 0, failed: 0, skipped: 0 });
});

Deno.test("formatCounts() mentions skipped tests only if there are any", () => {
  const counts = addCounts([
    { passed: 2, failed: 0, skipped: 0 },
    { passed: 1, failed: 1, skipped: 3 },
  ]);
  strictEqual(formatCounts(counts), "3 passed, 1 failed, 3 skipped");
  strictEqual(formatCounts({ ...counts, skipped: 0 }), "3 passed, 1 failed");
});

Deno.test("runPart() counts tests; a process that ends early counts as one failure", async () => {
  const folder = await Deno.makeTempDir();
  const run = async (source: string, reports = true) => {
    const file = join(folder, "a_test.ts");
    await Deno.writeTextFile(file, source);
    const args = reports ? ["test", "--allow-all", "--no-check", file] : ["check", file];
    const part: Part = { name: "a", args, reports };
    return (await runPart(part, { signal: new AbortController().signal })).counts;
  };
  const good = `Deno.test("good", () => {});\n`;
  try {
    deepStrictEqual(await run(good + `Deno.test.ignore("later", () => {});`), {
      passed: 1,
      failed: 0,
      skipped: 1,
    });
    deepStrictEqual(await run(good + `Deno.test("bad", () => { throw 1; });`), {
      passed: 1,
      failed: 1,
      skipped: 0,
    });
    const one = { passed: 0, failed: 1, skipped: 0 };
    deepStrictEqual(await run(good + `throw new Error("does not load");`), one);
    deepStrictEqual(await run(`Deno.test("dies", () => Deno.kill(Deno.pid, "SIGKILL"));`), one);
    deepStrictEqual(await run(`export const wrong: number = "";`, false), one);
    deepStrictEqual(await run(good, false), { passed: 1, failed: 0, skipped: 0 });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
