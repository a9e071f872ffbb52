/**
 * `deno task push`: uploads a run's model to the Hugging Face Hub.
 * @module
 */
import { join } from "node:path";
import { readHubSettings } from "@/data/hub_settings.ts";
import { checkRepoName, listFilesToPush, pushFiles } from "@/export/push_model.ts";
import { readCard } from "@/export/write_card.ts";
import type { Options } from "./arguments.ts";
import { runTask, type Task } from "./run_task.ts";
import { createTerminalProgress } from "./terminal_progress.ts";

const OPTIONS = {
  yes: { type: "boolean", help: "push; without it, only list what would be pushed" },
  private: { type: "boolean", help: "if the repository is created, make it private" },
  license: { type: "string", value: "ID", help: "license for the model card, such as apache-2.0" },
} as const satisfies Options;

/** The task `push`. */
const PUSH = {
  name: "push",
  summary:
    "Uploads the model of a run and its card to the Hugging Face Hub; without --yes, a dry run.",
  usage: "RUN OWNER/NAME [--yes] [--private] [--license ID]",
  notes: [
    "The file card.md in the run's folder is added to the card. Its metadata between two lines of ---, such as " +
    "base_model and license, overrides that of the run.",
  ],
  options: OPTIONS,
  positionals: { names: ["RUN", "OWNER/NAME"], min: 2, max: 2 },
  stopsItself: true,
  async run({ values, positionals: [run = "", repo = ""], signal }) {
    checkRepoName(repo);
    const card = await readCard(run, { repo, license: values.license ?? null });
    const files = await listFilesToPush(join(run, "model"), card);
    const settings = readHubSettings();
    for (const { path, bytes } of files) {
      console.log(`${(bytes / 2 ** 20).toFixed(2).padStart(9)} MiB  ${path}`);
    }
    const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
    const size = `${files.length} files, ${(total / 2 ** 20).toFixed(1)} MiB`;
    const place = `${settings.endpoint}/${repo}`;
    if (!values.yes) {
      console.log(
        `Dry run: nothing was sent. With --yes, ${size} are pushed to ${place} in one commit. A missing ` +
          `repository is created as ${
            values.private ? "private" : "public"
          }. Graphs and modules of an ` +
          "earlier push that are not listed here are deleted.",
      );
      return;
    }
    const { url, removed } = await pushFiles(files, { repo, isPrivate: values.private, settings }, {
      view: createTerminalProgress(),
      signal,
    });
    for (const path of removed) console.log(`  deleted (from an earlier push): ${path}`);
    console.log(`Pushed ${size} to ${place}: ${url}`);
  },
} as const satisfies Task<typeof OPTIONS>;

if (import.meta.main) await runTask(PUSH);
