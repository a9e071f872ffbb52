import { deepStrictEqual, strictEqual } from "node:assert/strict";
import {
  parseProcessors,
  partitionProcessors,
  pinnedCommand,
  splitProcessors,
} from "@/cli/development/processor_sets.ts";

Deno.test("parseProcessors() reads ranges and single numbers; the result is empty if there is no list", () => {
  const status = "Name:\tdeno\nCpus_allowed:\t10f\nCpus_allowed_list:\t0-3,8\nMems_allowed:\t1\n";
  deepStrictEqual(parseProcessors(status), [0, 1, 2, 3, 8]);
  deepStrictEqual(parseProcessors("Name:\tdeno\n"), []);
});

Deno.test("splitProcessors() puts each processor into one set, and no set is empty", () => {
  deepStrictEqual(splitProcessors([0, 1], 2), [[0], [1]]);
  deepStrictEqual(splitProcessors([4, 5, 6, 7, 9], 2), [[4, 5], [6, 7, 9]]);
  deepStrictEqual(splitProcessors([3], 2), [[3]]);
  deepStrictEqual(splitProcessors([], 2), []);
});

const sets = await partitionProcessors(1);

Deno.test({
  name: "a pinned command only sees the processors of its set",
  ignore: sets === null, // taskset is not available
  async fn() {
    const own = (sets?.[0] ?? []).slice(0, 1);
    const count = ["eval", "console.log(navigator.hardwareConcurrency)"];
    const [command, ...args] = pinnedCommand(own, [Deno.execPath(), ...count]);
    const { stdout } = await new Deno.Command(command, { args }).output();
    strictEqual(new TextDecoder().decode(stdout).trim(), "1");
  },
});

Deno.test("pinnedCommand() does not change a command without a processor set", () => {
  deepStrictEqual(pinnedCommand(null, ["deno", "fmt"]), ["deno", "fmt"]);
});
