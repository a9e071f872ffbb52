import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import {
  createRateMeter,
  drawBar,
  formatRate,
  formatSeconds,
  type Progress,
  progressFigures,
} from "@/progress.ts";
import { createTerminalProgress, formatLine, formatLog } from "@/cli/terminal_progress.ts";

const STATE: Progress = {
  done: 30,
  total: 120,
  label: "train",
  rate: 3,
  secondsLeft: 30,
  details: ["ag_news 0.412", "conll2003 0.220", "9800 tokens/s"],
};

Deno.test("createRateMeter() is exact for a constant rate and halves the weight of old values per half-life", () => {
  const steady = createRateMeter({ halfLifeMs: 1000 });
  strictEqual(steady.update(0, 0), null, "one count is no speed yet");
  strictEqual(steady.update(2, 500), 4);
  strictEqual(steady.update(4, 1000), 4);

  const changing = createRateMeter({ halfLifeMs: 1000 });
  changing.update(0, 0);
  changing.update(10, 1000); // 10 units in 1 s
  // the old second has half its weight: (5 + 1) units in (0.5 + 1) s
  strictEqual(changing.update(11, 2000), 4);
});

Deno.test("createRateMeter() restarts when the count decreases", () => {
  const meter = createRateMeter();
  meter.update(0, 0);
  meter.update(100, 1000);
  strictEqual(meter.update(0, 2000), null);
  strictEqual(meter.update(1, 3000), 1);
});

Deno.test("formatSeconds() and formatRate() choose units by magnitude", () => {
  deepStrictEqual([0.4, 59.4, 59.6, 61, 3599.6, 7389].map(formatSeconds), [
    "0 s",
    "59 s",
    "1:00",
    "1:01",
    "1:00:00",
    "2:03:09",
  ]);
  deepStrictEqual([0.25, 0.5, 9.876, 12.34, 123.4].map(formatRate), [
    "4.0 s each",
    "0.50/s",
    "9.88/s",
    "12.3/s",
    "123/s",
  ]);
});

Deno.test("drawBar() draws eighths and always has the requested width", () => {
  strictEqual(drawBar(1, 4, 4), "█░░░");
  strictEqual(drawBar(3, 8, 2), "▊░");
  strictEqual(drawBar(5, 4, 2), "██");
  strictEqual(drawBar(0, 0, 2), "██");
  fc.assert(
    fc.property(fc.nat(100), fc.nat(100), fc.integer({ min: 1, max: 40 }), (a, b, width) => {
      strictEqual([...drawBar(a, b, width)].length, width);
    }),
  );
});

Deno.test("progressFigures() omits the remaining time at the end", () => {
  deepStrictEqual(progressFigures({ done: 4, total: 4, label: "x", rate: 2, secondsLeft: 0 }), [
    "4/4",
    "2.00/s",
  ]);
});

Deno.test("formatLine() drops the last figures first and never fills the width", () => {
  strictEqual(
    formatLine(STATE, 200),
    "train ██████░░░░░░░░░░░░░░░░░░  25 %  30/120  3.00/s  30 s left  ag_news 0.412  conll2003 0.220  9800 tokens/s",
  );
  strictEqual(formatLine(STATE, 60), "train ███▌░░░░░░░░░░  25 %  30/120  3.00/s  30 s left");
  strictEqual(formatLine(STATE, 12), "train  25 %");
  fc.assert(fc.property(fc.integer({ min: 12, max: 200 }), (columns) => {
    ok(formatLine(STATE, columns).length < columns);
  }));
});

Deno.test("a terminal view overwrites its line at a limited rate, and always shows the last state", () => {
  const written: string[] = [];
  let now = 0;
  const view = createTerminalProgress({
    write: (text) => written.push(text),
    terminal: true,
    columns: () => 40,
    nowMs: () => now,
  });
  view.update({ done: 0, total: 3, label: "train" });
  now = 50;
  view.update({ done: 0.1, total: 3, label: "train" }); // before the next update is due
  now = 1000;
  view.update({ done: 2, total: 3, label: "train" });
  now = 1001;
  view.update({ done: 3, total: 3, label: "train" }); // the last state is always shown
  view.finish();
  strictEqual(written.length, 4);
  ok(written.slice(0, 3).every((text) => text.startsWith("\rtrain ") && text.endsWith("\x1b[K")));
  ok(written[1]?.includes("2/3  2.00/s"));
  ok(written[2]?.includes("3/3"));
  strictEqual(written[3], "\n");
});

Deno.test("a log has lines at a limited rate, including the last state", () => {
  const written: string[] = [];
  let now = 0;
  const view = createTerminalProgress({
    write: (text) => written.push(text),
    terminal: false,
    nowMs: () => now,
    logMs: 1000,
  });
  for (let done = 0; done <= 25; done++, now += 100) {
    view.update({ done, total: 50, label: "train" });
  }
  view.finish();
  deepStrictEqual(written, [
    "train  0/50\n",
    "train  10/50  10.0/s  4 s left\n",
    "train  20/50  10.0/s  3 s left\n",
    "train  25/50  10.0/s  3 s left\n",
  ]);
});

Deno.test("a view starts a new line and a new rate for each label", () => {
  const written: string[] = [];
  let now = 0;
  const view = createTerminalProgress({
    write: (text) => written.push(text),
    terminal: false,
    nowMs: () => now,
  });
  view.update({ done: 0, total: 9, label: "train" });
  now = 1000;
  view.update({ done: 5, total: 9, label: "train" });
  view.update({ done: 0, total: 2, label: "evaluate" });
  deepStrictEqual(written, ["train  0/9\n", "train  5/9  5.00/s  1 s left\n", "evaluate  0/2\n"]);
});

Deno.test("formatLog() contains the label and all figures", () => {
  strictEqual(
    formatLog(STATE),
    "train  30/120  3.00/s  30 s left  ag_news 0.412  conll2003 0.220  9800 tokens/s",
  );
});

Deno.test("work continues when the progress output is closed", async () => {
  const script = `
    const { createTerminalProgress } = await import("@/cli/terminal_progress.ts");
    const view = createTerminalProgress({ logMs: 0 });
    for (let done = 0; done <= 20; done++) {
      view.update({ done, total: 20, label: "work" });
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    console.log("done");
  `;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "-"],
    cwd: join(import.meta.dirname ?? "", "../.."),
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const reader = child.stderr.getReader();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(script));
  await writer.close();
  match(new TextDecoder().decode((await reader.read()).value), /^work {2}0\/20/);
  await reader.cancel();
  strictEqual(await new Response(child.stdout).text(), "done\n");
  strictEqual((await child.status).code, 0);
});
