import { deepStrictEqual, strictEqual } from "node:assert/strict";
import {
  dealProcessors,
  onShare,
  parseProcessors,
  shareProcessors,
} from "@/cli/processor_shares.ts";

Deno.test("parseProcessors() reads ranges and single numbers, and nothing where there is no list", () => {
  const status = "Name:\tdeno\nCpus_allowed:\t10f\nCpus_allowed_list:\t0-3,8\nMems_allowed:\t1\n";
  deepStrictEqual(parseProcessors(status), [0, 1, 2, 3, 8]);
  deepStrictEqual(parseProcessors("Name:\tdeno\n"), []);
});

Deno.test("dealProcessors() gives each processor to one share, and no share none", () => {
  deepStrictEqual(dealProcessors([0, 1], 2), [[0], [1]]);
  deepStrictEqual(dealProcessors([4, 5, 6, 7, 9], 2), [[4, 5], [6, 7, 9]]);
  deepStrictEqual(dealProcessors([3], 2), [[3]]);
  deepStrictEqual(dealProcessors([], 2), []);
});

const shares = await shareProcessors(1);

Deno.test({
  name: "a command on its share sees the processors of that share alone",
  ignore: shares === null, // no taskset here: parts run one after another
  async fn() {
    const own = (shares?.[0] ?? []).slice(0, 1);
    const count = ["eval", "console.log(navigator.hardwareConcurrency)"];
    const [command, ...args] = onShare(own, [Deno.execPath(), ...count]);
    const { stdout } = await new Deno.Command(command, { args }).output();
    strictEqual(new TextDecoder().decode(stdout).trim(), "1");
  },
});

Deno.test("onShare() leaves a command that has no share as it is", () => {
  deepStrictEqual(onShare(null, ["deno", "fmt"]), ["deno", "fmt"]);
});
