/**
 * Invented names of people, organizations, places and the rest, built from syllables.
 *
 * Every split has its own stems, so a name of the test rows occurs nowhere in train, while the syllables
 * it is made of do. What a name is can be told from its ending (-ville), from a word beside it (Corp), or,
 * for about a third of them, only from the sentence around it.
 * @module
 */

import { type Prng, shuffle, stream } from "@/random.ts";

/** Kinds of name; `team` is an organization and `adjective`, `event`, `product` are miscellaneous. */
export const NAME_KINDS = [
  "person",
  "surname",
  "place",
  "company",
  "team",
  "adjective",
  "event",
  "product",
] as const;
export type NameKind = typeof NAME_KINDS[number];

/** The entity type of each kind of name. */
export const NAME_TYPES = {
  person: "PER",
  surname: "PER",
  place: "LOC",
  company: "ORG",
  team: "ORG",
  adjective: "MISC",
  event: "MISC",
  product: "MISC",
} as const satisfies Record<NameKind, string>;

/** Splits that names are kept apart by, with their share of the stems. */
const SHARES = { train: 0.7, validation: 0.1, test: 0.2 } as const;
export type SampleSplit = keyof typeof SHARES;

const STARTS =
  "bal bran cal cor dal dor fal fen gar gil hal har jor kal kel kor lan lor mal mar mel mor nal nor or pel por quin ral ros sal sel sor tal tar tel tor val var vel ver vin wal wen yor zan zel zor"
    .split(" ");
const ENDS =
  "bak bek bin dak den din dok fan fik gan gor kan kin lak lin lok man mek min nak nik nor pak pin rak rin rok san sik tak tan tik tok van vik vor wan zak zin"
    .split(" ");
const GIVEN_ENDS = "a ado ano ea el ena eo ette ia ilo in ina is ito o olf ric us yn".split(" ");

const SURNAME_SUFFIXES = ["son", "ov", "ini", "ez", "sky", "berg"];
const PLACE_SUFFIXES = ["ville", "stan", "burg", "mouth", "dale", "holm", "ia", "shire"];
const PLACE_PREFIXES = ["North", "South", "Port", "Lake", "Mount", "New", "San", "Upper"];
const COMPANY_WORDS =
  "Corp Inc Bank Motors Airways Systems Holdings Group Industries Foods Energy Labs".split(" ");
const TEAM_WORDS = "United FC Rovers Wanderers Athletic City Tigers Hawks".split(" ");
const ADJECTIVE_SUFFIXES = ["ian", "ese", "ish", "ic"];
const EVENT_WORDS = "Cup Open Prize Games Festival Trophy Accord Award".split(" ");

/** Makes names of one split. */
export type NameMaker = (kind: NameKind, prng: Prng) => readonly string[];

/** The maker of names for `split`: each is a list of words. The same seed parts the stems alike. */
export function nameMaker(split: SampleSplit, seed: number): NameMaker {
  const stems = partOf(STARTS.flatMap((start) => ENDS.map((end) => start + end)), split, seed);
  const givens = partOf(
    STARTS.flatMap((start) => GIVEN_ENDS.map((end) => start + end)),
    split,
    seed,
  );
  return (kind, prng) => {
    const stem = () => pick(stems, prng);
    const plain = () => capitalize(stem());
    const ending = (suffixes: readonly string[]) => capitalize(stem() + pick(suffixes, prng));
    const chance = (share: number) => prng.uniform() < share;
    switch (kind) {
      case "surname":
        return [chance(0.5) ? plain() : ending(SURNAME_SUFFIXES)];
      case "person": {
        const surname = chance(0.5) ? plain() : ending(SURNAME_SUFFIXES);
        if (chance(0.15)) return [`${surname.charAt(0)}.`, surname];
        return [capitalize(pick(givens, prng)), surname];
      }
      case "place":
        if (chance(0.35)) return [plain()];
        return chance(0.3) ? [pick(PLACE_PREFIXES, prng), plain()] : [ending(PLACE_SUFFIXES)];
      case "company":
        if (chance(0.3)) return [plain()];
        if (chance(0.15)) return ["University", "of", plain()];
        return [plain(), pick(COMPANY_WORDS, prng)];
      case "team":
        return chance(0.4) ? [plain()] : [plain(), pick(TEAM_WORDS, prng)];
      case "adjective":
        return [ending(ADJECTIVE_SUFFIXES)];
      case "event":
        return chance(0.3)
          ? [ending(ADJECTIVE_SUFFIXES), pick(EVENT_WORDS, prng)]
          : [plain(), pick(EVENT_WORDS, prng)];
      case "product":
        return [plain(), String(100 * (1 + prng.below(9)))];
    }
  };
}

/** The part of `items` that belongs to `split`. */
function partOf(items: readonly string[], split: SampleSplit, seed: number): string[] {
  const order = shuffle([...new Set(items)], stream(seed, "names", items.length));
  const cut = (share: number) => Math.round(share * order.length);
  const validationAt = cut(SHARES.train), testAt = cut(SHARES.train + SHARES.validation);
  switch (split) {
    case "train":
      return order.slice(0, validationAt);
    case "validation":
      return order.slice(validationAt, testAt);
    case "test":
      return order.slice(testAt);
  }
}

/** One of `items`, each as likely. */
export function pick<T>(items: readonly T[], prng: Prng): T {
  const item = items[prng.below(items.length)];
  if (item === undefined) throw new Error("internal: picked outside the list");
  return item;
}

/** The word with its first letter in upper case. */
export function capitalize(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
