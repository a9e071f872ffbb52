/**
 * What `environment.json` says of a run that was taken up again: where it began, and what was different
 * each time that it went on.
 * @module
 */
import { isDeepStrictEqual } from "node:util";

/** The content of `environment.json`. */
export type RunEnvironment = Readonly<Record<string, unknown>>;

/** Where the pretrained model of a run was found: key `modelOrigin`. */
export type ModelOrigin = "hub" | "folder";

/** A time that a run was taken up again. */
export type ResumedAt = {
  /** Steps done before. */
  readonly step: number;
  /** By key: what differed from where it began. */
  readonly changed: RunEnvironment;
};

/** The environment of a run's beginning, `begun`, with one more time in its list `resumed`. */
export function addResumed(
  begun: RunEnvironment,
  { step, now }: { readonly step: number; readonly now: RunEnvironment },
): RunEnvironment {
  const { resumed, ...first } = begun;
  const keys = [...new Set([...Object.keys(first), ...Object.keys(now)])];
  const changed = Object.fromEntries(
    keys.filter((key) => !isDeepStrictEqual(first[key], now[key])).map((key) => [
      key,
      now[key] ?? null,
    ]),
  );
  const entry: ResumedAt = { step, changed };
  return { ...first, resumed: [...Array.isArray(resumed) ? resumed : [], entry] };
}
