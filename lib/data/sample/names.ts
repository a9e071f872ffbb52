/**
 * Invented names of people, organizations, places and others, composed of syllables.
 *
 * Every split has its own stems: names of test rows do not occur in train, but their syllables do. Each kind of name has
 * typical first syllables. A fraction of the names begin with a syllable common to all kinds; their kind is visible only
 * in a suffix (-ville), in an adjacent word (Corp) or in the sentence around them.
 * @module
 */

import { assertNever } from "@/assert_never.ts";
import { hashName } from "@/engine/hash.ts";
import type { Prng } from "@/random.ts";

/** Kinds of names; `team` is an organization, and `adjective`, `event` and `product` are miscellaneous. */
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
/** One of {@link NAME_KINDS}. */
type NameKind = typeof NAME_KINDS[number];

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

/** Stems of each split: those whose number modulo 10 is in the list. */
const STEMS = {
  train: [0, 1, 2, 3, 4, 5, 6],
  validation: [7],
  test: [8, 9],
} as const;

/** A split of the sample. */
export type SampleSplit = keyof typeof STEMS;

/** Fraction of the names that begin with a typical syllable of their kind. */
const TYPICAL = 0.92;

const list = (syllables: string) => syllables.split(" ");

/** First syllables by the kinds for which they are typical. */
const STARTS = {
  given: list("al an bel cla dan el em fa ger han il jas jo ka lea lu mi na o pe ra sa ti yas"),
  surname: list(
    "abr bren cas dres eck fen gol har ist jun kov len mos nym ost pav rich sten tho vas",
  ),
  place: list(
    "ard bal chu dun esk fal gar hel ing kel lor mar nor ol pel quil ros sul tar und vel wes",
  ),
  company: list(
    "aer bio cyn dyn eco flex gen hyp int kon lum mag nex opt pri quan sol tek uni vex zon",
  ),
  other: list(
    "ath bor cel dra emb fro gal hex ire jov kry lyd myr nep orb phi rhe syr tyr urs wyn zeph",
  ),
  shared: list("bran cor dal fin gil hav kal lin mir tor val wil"),
} as const;
type StartKind = keyof typeof STARTS;

/** Last syllables of all stems except given names. */
const ENDS = list(
  "ado aken amar anik aris asko atin avor bek bin den din dok eban edor egan elik emon enta erik esin " +
    "etan evon gan gor ibar idan igor ikan imer inor isak itor ivan kan kin lak lin lok mek min nak nik " +
    "obin odar ogan okan olin omar onik oran osek otan ovar pak pin rak rin rok san sik tak tan tok " +
    "ubin udar ukan ulin umar unik uran van vik vor wan zak zin",
);
const GIVEN_ENDS = list(
  "ba bert bin da dia do don fa fred la len lia lio lo man mara mi mund na nel nia nio no ra rel ria " +
    "rin rio ro sa sin son ta tha tia tin to ton va ven via vin za",
);

const SURNAME_SUFFIXES = list("son ov ini ez sky berg");
const PLACE_SUFFIXES = list("ville stan burg mouth dale holm ia shire");
const PLACE_WORDS = list("Island Valley Bay Heights Province Harbor County Lakes");
const COMPANY_WORDS = list(
  "Corp Inc Bank University Motors Airways Systems Holdings Group Industries Foods Energy Labs",
);
const TEAM_WORDS = list("United FC Rovers Wanderers Athletic City Tigers Hawks");
const ADJECTIVE_SUFFIXES = list("ian ese ish ic");
const EVENT_WORDS = list("Cup Open Prize Games Festival Trophy Accord Award");

/** Generates a name as a list of words. */
export type NameMaker = (kind: NameKind, prng: Prng) => readonly string[];

/** The name generator of a split. */
export function nameMaker(split: SampleSplit): NameMaker {
  const shares: readonly number[] = STEMS[split];
  return (kind, prng) => {
    const stem = (of: StartKind, ends = ENDS): string => {
      const starts = of === "surname" || prng.uniform() < TYPICAL ? of : "shared";
      const made = pick(STARTS[starts], prng) + pick(ends, prng);
      return shares.includes(hashName(made) % 10) ? made : stem(of, ends);
    };
    const plain = (of: StartKind) => capitalize(stem(of));
    const ending = (of: StartKind, suffixes: readonly string[]) =>
      capitalize(joinSuffix(stem(of), pick(suffixes, prng)));
    const chance = (share: number) => prng.uniform() < share;
    switch (kind) {
      case "surname":
        return [capitalize(stem("given", ENDS))];
      case "person": {
        const last = chance(0.5) ? plain("surname") : ending("surname", SURNAME_SUFFIXES);
        return [chance(0.15) ? `${last.charAt(0)}.` : capitalize(stem("given", GIVEN_ENDS)), last];
      }
      case "place":
        if (chance(0.35)) return [plain("place")];
        return chance(0.3)
          ? [plain("place"), pick(PLACE_WORDS, prng)]
          : [ending("place", PLACE_SUFFIXES)];
      case "company":
        return chance(0.3) ? [plain("company")] : [plain("company"), pick(COMPANY_WORDS, prng)];
      case "team":
        return [plain("company"), ...(chance(0.4) ? [] : [pick(TEAM_WORDS, prng)])];
      case "adjective":
        return [ending("other", ADJECTIVE_SUFFIXES)];
      case "event":
        return [plain("other"), pick(EVENT_WORDS, prng)];
      case "product":
        return [plain("other"), String(100 * (1 + prng.below(9)))];
      default:
        return assertNever(kind, "kind of name");
    }
  };
}

/** Joins a stem and a suffix; two adjacent vowels become one. */
function joinSuffix(stem: string, suffix: string): string {
  return /[aeiou]$/.test(stem) && /^[aeiou]/.test(suffix)
    ? stem.slice(0, -1) + suffix
    : stem + suffix;
}

/** A random item, all equally likely. */
export function pick<T>(items: readonly T[], prng: Prng): T {
  const item = items[prng.below(items.length)];
  if (item === undefined) throw new Error("internal: picked outside the list");
  return item;
}

/** The word with its first letter in upper case. */
export function capitalize(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
