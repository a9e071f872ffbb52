/**
 * `deno task survey`: what the data sets of a run are like, and what padding costs on them.
 * @module
 */
import { writeFileAtomic } from "@/files.ts";
import { quantile } from "@/quantile.ts";
import { formatCount } from "@/report/format.ts";
import { lengthGroups, type SurveyRecord } from "@/report/read_survey.ts";
import { resolvePrompt } from "@/text/prompts.ts";
import { openTexts } from "@/train/open_model.ts";
import { encodeTask, loadRunRows } from "@/train/run_data.ts";
import { computeDataStatistics } from "@/train/data_statistics.ts";
import { CONFIG_OPTIONS, readConfigOptions } from "./config_options.ts";
import { runTask } from "./frame.ts";
import { createTerminalProgress } from "./progress.ts";

/** Rows of a batch where a run fills batches by pieces. */
const DEFAULT_ROWS = 32;

/** What is printed of a survey, a line each. */
export function formatSurvey(survey: SurveyRecord): readonly string[] {
  const lengths = new Map(lengthGroups(survey).map((group) => [group.name, group.lengths]));
  const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
  return [
    ...survey.tasks.flatMap(({ task, train, validation, test, cutRows, cutWords, names }) => {
      const [middle, high, longest] = [0.5, 0.95, 1]
        .map((share) => quantile(lengths.get(task) ?? [], share));
      return [
        `${task}: ${formatCount(train)} rows of training, ${
          formatCount(validation)
        } of validation, ` +
        `${formatCount(test)} of test`,
        `  word pieces: median ${middle}, 95 % at most ${high}, longest ${longest}`,
        `  training rows cut at the limit: ${formatCount(cutRows)}` +
        (names === null ? "" : `, tagged words with them: ${formatCount(cutWords)}`),
        ...names === null ? [] : [
          `  names in test: ${formatCount(names.test)}, in no training row ${
            percent(names.unseen / names.test)
          }`,
        ],
      ];
    }),
    ...survey.padding.map(({ name, tokens, paddedTokens }) =>
      `padding of an epoch, ${name}: ${percent(1 - tokens / paddedTokens)}`
    ),
  ];
}

if (import.meta.main) {
  await runTask({
    name: "survey",
    summary: "Counts rows, tokens, entities and padding of a run's data sets.",
    usage:
      "[--preset NAME] [--config FILE] [--set KEY=VALUE …] [--model DIR|HUB_NAME] [--data DIR] " +
      "[--out FILE]",
    options: {
      ...CONFIG_OPTIONS,
      out: { type: "string", value: "FILE", help: "also write the counts to a JSON file" },
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
      const survey = {
        preset: config.preset,
        seed,
        batchRows: rows,
        ...computeDataStatistics(data, tasks, { lengths, rows, seed }),
      };
      for (const line of formatSurvey(survey)) console.log(line);
      if (out !== undefined) await writeFileAtomic(out, `${JSON.stringify(survey)}\n`);
    },
  });
}
