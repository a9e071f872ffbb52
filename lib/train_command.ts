/**
 * How a run is trained in a process of its own.
 * @module
 */
import { join } from "node:path";
import { isFile } from "@/files.ts";

/**
 * Program and arguments that train the run in `dir`: a new one as the file `config` says, or, where it has
 * begun, the same one further.
 */
export async function trainCommand(
  dir: string,
  config: string,
): Promise<readonly [program: string, ...args: string[]]> {
  const how = await isFile(join(dir, "config.json"))
    ? ["--resume", dir]
    : ["--config", config, "--out", dir];
  const train = join(import.meta.dirname ?? "", "cli/train.ts");
  return [Deno.execPath(), "run", "--allow-all", train, ...how];
}
