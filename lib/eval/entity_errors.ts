/**
 * Entity errors by category. Gold and predicted entities of a sentence are paired one to one, so that each
 * counts exactly once:
 *
 * | rank | bounds | type | category | MUC-5 | SemEval-2013 |
 * | --- | --- | --- | --- | --- | --- |
 * | 1 | same | same | correct, no error | correct | correct |
 * | 2 | same | other | `type` | incorrect | incorrect (exact: correct) |
 * | 3 | overlap | same | `boundary` | partial | partial (type: correct) |
 * | 4 | overlap | other | `both` | incorrect | incorrect |
 * | unpaired gold | | | `missed` | missing | missing |
 * | unpaired prediction | | | `invented` | spurious | spurious |
 *
 * The categories are those of MUC-5 (Chinchor & Sundheim 1993, M93-1007) as SemEval-2013 task 9
 * (Segura-Bedmar et al., S13-2056) applies them to exact spans. Neither defines the pairing. This module
 * pairs by rank, first to last, and within a rank from left to right, with as many pairs as possible.
 * Exchanging gold and predicted entities yields the same pairs. Therefore
 *
 *     gold      = correct + type + boundary + both + missed
 *     predicted = correct + type + boundary + both + invented
 *
 * Entities are read by conlleval's rules, as for the main score.
 * @module
 */

import { type Span, spans } from "@/eval/spans.ts";

/** Categories of entity errors. */
export const ERROR_KINDS = ["boundary", "type", "both", "missed", "invented"] as const;
/** Category of an entity error. */
export type ErrorKind = typeof ERROR_KINDS[number];

/** Number of errors per category. */
export type ErrorCounts = Readonly<Record<ErrorKind, number>>;

/** Error counts of a split. */
export type EntityErrors = ErrorCounts & {
  /** By entity type in alphabetical order: the gold type, or the predicted type of an invented entity. */
  readonly perType: Readonly<Record<string, ErrorCounts>>;
};

/** One error: the gold entity (null if invented) and the predicted entity (null if missed). */
export type EntityError = {
  readonly kind: ErrorKind;
  readonly gold: Span | null;
  readonly predicted: Span | null;
};

/**
 * Errors of one sentence, paired entities first.
 *
 * @example
 * ```ts
 * import { findEntityErrors } from "@/eval/entity_errors.ts";
 * findEntityErrors(["B-PER", "I-PER", "O"], ["B-PER", "O", "B-LOC"]).map(({ kind }) => kind);
 * // ["boundary", "invented"]
 * ```
 */
export function findEntityErrors(
  gold: readonly string[],
  predicted: readonly string[],
): EntityError[] {
  let missed = spans(gold, "conlleval"), invented = spans(predicted, "conlleval");
  const errors: EntityError[] = [];
  for (const { kind, fits } of RANKS) {
    const pairs = pairInOrder(missed, invented, fits);
    if (kind !== null) errors.push(...pairs.map(([g, p]) => ({ kind, gold: g, predicted: p })));
    const paired = new Set(pairs.flat());
    missed = missed.filter((span) => !paired.has(span));
    invented = invented.filter((span) => !paired.has(span));
  }
  return [
    ...errors,
    ...missed.map((span) => ({ kind: "missed", gold: span, predicted: null } as const)),
    ...invented.map((span) => ({ kind: "invented", gold: null, predicted: span } as const)),
  ];
}

/** Counts the errors of many sentences. */
export function countEntityErrors(
  gold: readonly (readonly string[])[],
  predicted: readonly (readonly string[])[],
): EntityErrors {
  const none = () => ({ boundary: 0, type: 0, both: 0, missed: 0, invented: 0 });
  const all = none(), perType = new Map<string, ReturnType<typeof none>>();
  gold.forEach((tags, row) => {
    for (const error of findEntityErrors(tags, predicted[row] ?? [])) {
      const type = (error.gold ?? error.predicted)?.type ?? "";
      const counts = perType.get(type) ?? none();
      perType.set(type, counts);
      counts[error.kind]++;
      all[error.kind]++;
    }
  });
  const types = [...perType].sort(([a], [b]) => a < b ? -1 : 1);
  return { ...all, perType: Object.fromEntries(types) };
}

type Fits = (gold: Span, predicted: Span) => boolean;

const sameBounds: Fits = (a, b) => a.start === b.start && a.end === b.end;
const overlap: Fits = (a, b) => a.start < b.end && b.start < a.end;
const sameType: Fits = (a, b) => a.type === b.type;

const RANKS: readonly { readonly kind: ErrorKind | null; readonly fits: Fits }[] = [
  { kind: null, fits: (a, b) => sameBounds(a, b) && sameType(a, b) },
  { kind: "type", fits: sameBounds },
  { kind: "boundary", fits: (a, b) => overlap(a, b) && sameType(a, b) },
  { kind: "both", fits: overlap },
];

/**
 * Pairs each gold span, from left to right, with the first unpaired predicted span that fits it. Spans of
 * one side do not overlap one another, so no other choice yields more pairs.
 */
function pairInOrder(gold: readonly Span[], predicted: readonly Span[], fits: Fits) {
  const free = [...predicted];
  return gold.flatMap((span): (readonly [gold: Span, predicted: Span])[] => {
    const found = free.findIndex((other) => fits(span, other));
    const [other] = found < 0 ? [] : free.splice(found, 1);
    return other === undefined ? [] : [[span, other]];
  });
}
