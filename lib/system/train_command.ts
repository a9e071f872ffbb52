/**
 * The command that trains a run in a separate process.
 * @module
 */
import { join } from "node:path";
import { isFile } from "./files.ts";

/**
 * Program and arguments that train the run in `dir`: a new run with the configuration file `config`, or the continuation of
 * a run that has already begun.
 */
export async function trainCommand(
  dir: string,
  config: string,
): Promise<readonly [program: string, ...args: string[]]> {
  const how = await isFile(join(dir, "config.json"))
    ? ["--resume", dir]
    : ["--config", config, "--out", dir];
  const train = join(import.meta.dirname ?? "", "../cli/train.ts");
  return [Deno.execPath(), "run", "--allow-all", train, ...how];
}
