/**
 * `deno task survey`: prints statistics of a run's data sets and the cost of padding.
 * @module
 */
import { writeFileAtomic } from "@/system/files.ts";
import { quantile } from "@/statistics.ts";
import { formatCount } from "@/report/format.ts";
import { type DataStatisticsRecord, lengthGroups } from "@/report/readers/task_outputs.ts";
import { resolvePrompt } from "@/text/prompts.ts";
import { openTexts } from "@/train/open_model.ts";
import { encodeTask, loadRunRows } from "@/train/run_data.ts";
import { computeDataStatistics } from "@/train/data_statistics.ts";
import { CONFIG_OPTIONS, readConfigOptions } from "./config_options.ts";
import { runTask } from "./run_task.ts";
import { createTerminalProgress } from "./terminal_progress.ts";

/** Rows per batch, for configurations that limit batches by tokens instead. */
const DEFAULT_ROWS = 32;

/** Formats data set statistics as lines. */
export function formatDataStatistics(statistics: DataStatisticsRecord): readonly string[] {
  const lengths = new Map(lengthGroups(statistics).map((group) => [group.name, group.lengths]));
  const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
  return [
    ...statistics.tasks.flatMap(({ task, train, validation, test, cutRows, cutWords, names }) => {
      const [middle, high, longest] = [0.5, 0.95, 1]
        .map((share) => Math.round(quantile(lengths.get(task) ?? [], share)));
      return [
        `${task}: ${formatCount(train)} training rows, ${
          formatCount(validation)
        } validation rows, ` +
        `${formatCount(test)} test rows`,
        `  tokens: median ${middle}, 95th percentile ${high}, maximum ${longest}`,
        `  truncated training rows: ${formatCount(cutRows)}` +
        (names === null ? "" : `, with ${formatCount(cutWords)} tagged words cut off`),
        ...names === null ? [] : [
          `  entities in test: ${formatCount(names.test)}, of which unseen in training ${
            percent(names.unseen / names.test)
          }`,
        ],
      ];
    }),
    ...statistics.padding.map(({ name, tokens, paddedTokens }) =>
      `padding per epoch, ${name}: ${percent(1 - tokens / paddedTokens)}`
    ),
  ];
}

if (import.meta.main) {
  await runTask({
    name: "survey",
    summary: "Prints statistics of a run's data sets: rows, tokens, entities and padding.",
    usage:
      "[--preset NAME] [--config FILE] [--set KEY=VALUE …] [--model DIR|HUB_NAME] [--data DIR] " +
      "[--out FILE]",
    options: {
      ...CONFIG_OPTIONS,
      out: { type: "string", value: "FILE", help: "also write the statistics to a JSON file" },
    },
    async run({ values: { out, ...values } }) {
      const config = await readConfigOptions(values);
      const { seed, model, training: { lengths, batchRows } } = config;
      const view = createTerminalProgress();
      const data = await loadRunRows(config, { view });
      const rowsOfAll = data.flatMap(({ train }) => train);
      const { tokenizer, prompts } = await openTexts(model, rowsOfAll, { view });
      const encoding = {
        tokenizer,
        prompt: resolvePrompt(prompts),
        maxLength: model.maxLength,
        view,
      };
      const tasks = [];
      for (const each of data) {
        tasks.push(await encodeTask(each, encoding));
      }
      const rows = batchRows ?? DEFAULT_ROWS;
      const statistics = {
        preset: config.preset,
        seed,
        batchRows: rows,
        ...computeDataStatistics(data, tasks, { lengths, rows, seed }),
      };
      for (const line of formatDataStatistics(statistics)) console.log(line);
      if (out !== undefined) await writeFileAtomic(out, `${JSON.stringify(statistics)}\n`);
    },
  });
}
