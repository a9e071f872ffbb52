import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { join } from "node:path";
import { BertTokenizer } from "@huggingface/transformers";
import fc from "fast-check";
import { readJson } from "@/system/files.ts";
import { loadTokenizer, withLowercase } from "@/text/load_tokenizer.ts";
import { saveTokenizer } from "./save_tokenizer.ts";
import { type Tokenizer, tokenizerFromJson } from "@/text/tokenizer.ts";
import { TOKENIZER, TOKENIZER_FOLDER } from "./fixture_tokenizer.ts";

type Json = Record<string, unknown>;
const JSON_FILE = TOKENIZER.json as Json;

type ParityText = { text: string; ids: number[]; starts: number[]; ends: number[] };
type ParityWords = { words: string[]; ids: number[]; owners: number[] };
type Parity = {
  versions: { transformers: string; tokenizers: string };
  variants: Record<string, { normalizer: Json; texts: ParityText[]; words: ParityWords[] }>;
};
const PARITY = await readJson("test/fixtures/tokenizer_parity.json", "fixture") as Parity;

/** The tokens of ids, since texts are easier to read in tests. */
function tokensOf(ids: Iterable<number>, tokenizer: Tokenizer = TOKENIZER): string[] {
  return [...ids].map((id) => tokenizer.token(id));
}

/** A second implementation of BERT's normalization, for texts without spaces and without final sigma. */
function normalize(text: string): string {
  return text.normalize("NFD").replace(/[\p{Mn}\p{Cc}\p{Cf}\p{Cs}\p{Co}\ufffd]/gu, "").toLowerCase()
    .replaceAll("ς", "σ");
}

/** Random text with all difficult characters: accents, CJK, emoji, surrogates, controls, spaces; and long words. */
const difficultText = fc.array(
  fc.oneof(
    fc.string({ unit: "binary", maxLength: 6 }),
    fc.string({ unit: "grapheme", maxLength: 6 }),
    fc.constantFrom(
      ..."the| |railway|Zürich|É|e\u0301|İ|ΑΘΗΝΑ|東京|𠀀|🎉|\ud83d|\udc00|\0|\u0007|\u00ad|\u200d|\ufffd|\t|\n"
        .split("|"),
      ..."\u00a0|\u2003|\u3000|\u0085|\ufeff|שלום|مَر|हि|한|$1,200|don't|“x”|ǰ|ß|ﬁ|\u037e|≮|\u2126"
        .split("|"),
      "a".repeat(100),
      "b".repeat(101),
    ),
  ),
  { maxLength: 12 },
).map((parts) => parts.join(""));

for (const [name, { normalizer, texts, words }] of Object.entries(PARITY.variants)) {
  const tokenizer = tokenizerFromJson({
    ...JSON_FILE,
    normalizer: { type: "BertNormalizer", ...normalizer },
    // this class uses the normalizer of tokenizer.json unchanged
  }, { tokenizer_class: "PreTrainedTokenizerFast" });
  const source = `transformers ${PARITY.versions.transformers}`;

  Deno.test(`encodeWithOffsets() returns the ids and offsets of ${source}, ${name}`, () => {
    for (const { text, ids, starts, ends } of texts) {
      const found = tokenizer.encodeWithOffsets(text);
      deepStrictEqual(
        { text, ids: [...found.ids], starts: [...found.starts], ends: [...found.ends] },
        { text, ids, starts, ends },
      );
      deepStrictEqual([...tokenizer.encodeText(text)], ids);
    }
  });

  Deno.test(`encodeWords() returns the ids and word indices of ${source}, ${name}`, () => {
    for (const { words: row, ids, owners } of words) {
      const found = tokenizer.encodeWords(row);
      deepStrictEqual(
        { row, ids: [...found.ids], owners: [...found.words] },
        { row, ids, owners },
      );
    }
  });
}

Deno.test("the premise: the parity texts contain all difficult tokens", () => {
  const texts = PARITY.variants["uncased"]?.texts ?? [];
  const tokens = new Set(texts.flatMap(({ ids }) => tokensOf(ids)));
  for (const token of ["[UNK]", "[SEP]", "[MASK]", "##ing", "東", "𠀁", "ᄉ", "##σ", "ς", "🎉"]) {
    strictEqual(tokens.has(token), true, token);
  }
});

Deno.test("encodeText() returns the ids of the JavaScript library, except where it deviates from Python", () => {
  const library = new BertTokenizer(TOKENIZER.json as Json, TOKENIZER.config as Json);
  // capital sigma, ideographs beyond U+FFFF and U+FEFF: see pre_tokenize.ts; the parity tests above cover them
  const deviates = /[Σ\ufeff]|\p{Script=Han}(?<=[\u{10000}-\u{3ffff}])|[\ud840-\ud87e]/u;
  let compared = 0;
  fc.assert(
    fc.property(difficultText, (text) => {
      if (deviates.test(text)) return;
      compared++;
      deepStrictEqual(
        [...TOKENIZER.encodeText(text)],
        library.encode(text, { add_special_tokens: false }),
      );
    }),
    { numRuns: 500, seed: 1 },
  );
  strictEqual(compared > 150, true, `compared ${compared}`);
  deepStrictEqual(tokensOf(TOKENIZER.encodeText("ΟΣ 𠀀𠀁")), ["ο", "##σ", "𠀀", "𠀁"]);
  deepStrictEqual(tokensOf(library.encode("ΟΣ 𠀀𠀁", { add_special_tokens: false })), [
    "ο",
    "##ς",
    "[UNK]",
  ]);
});

Deno.test("encodeWithOffsets(): offsets are in range, ordered, and select the token's text", () => {
  fc.assert(
    fc.property(difficultText, (text) => {
      const { ids, starts, ends } = TOKENIZER.encodeWithOffsets(text);
      deepStrictEqual(ids, TOKENIZER.encodeText(text));
      let before = { start: 0, end: 0 };
      ids.forEach((id, index) => {
        const start = starts[index] ?? -1, end = ends[index] ?? -1;
        strictEqual(0 <= start && start < end && end <= text.length, true);
        // tokens of one raw character (한 has three) share its position; other tokens never overlap
        strictEqual(start >= before.end || (start >= before.start && end >= before.end), true);
        before = { start, end };
        const token = TOKENIZER.token(id);
        if (id === TOKENIZER.ids.unk) return;
        const letters = token.startsWith("##") && token.length > 2 ? token.slice(2) : token;
        const raw = text.slice(start, end);
        const slice = normalize(raw), wanted = letters.replaceAll("ς", "σ");
        // a syllable such as 한 is three letters, so a token may end inside it
        const whole = [...raw].every((character) => [...normalize(character)].length < 2);
        if (whole) strictEqual(slice, wanted, JSON.stringify(raw));
        else strictEqual(slice.includes(wanted), true, `${JSON.stringify(raw)} has ${wanted}`);
      });
    }),
    { numRuns: 500, seed: 2 },
  );
});

Deno.test("encodeWords() returns at least one token for every word", () => {
  const { ids, words } = TOKENIZER.encodeWords(["the", "\u0007", "", "\u0301", "station"]);
  deepStrictEqual(tokensOf(ids), ["the", "[UNK]", "[UNK]", "[UNK]", "station"]);
  deepStrictEqual([...words], [0, 1, 2, 3, 4]);
  fc.assert(
    fc.property(fc.array(difficultText, { maxLength: 8 }), (row) => {
      const found = TOKENIZER.encodeWords(row);
      deepStrictEqual([...new Set(found.words)], row.map((_, index) => index));
      const alone = row.flatMap((word) => {
        const tokens = [...TOKENIZER.encodeText(word)];
        return tokens.length > 0 ? tokens : [TOKENIZER.ids.unk];
      });
      deepStrictEqual([...found.ids], alone);
    }),
    { numRuns: 200, seed: 3 },
  );
});

Deno.test("encodeText() drops lone surrogates, which Python strings cannot contain", () => {
  deepStrictEqual(tokensOf(TOKENIZER.encodeText("a\ud83db \udc00")), ["a", "##b"]);
});

Deno.test("saveTokenizer() and loadTokenizer() round-trip, and vocab.txt alone restores the tokenizer", async () => {
  const dir = await Deno.makeTempDir();
  const text = "Zürich's railway station, 東京 🎉";
  const ids = TOKENIZER.encodeText(text);
  await saveTokenizer(dir, TOKENIZER);
  const loaded = await loadTokenizer(dir);
  deepStrictEqual(loaded.encodeText(text), ids);
  deepStrictEqual(loaded.json, TOKENIZER.json);
  deepStrictEqual(loaded.config, TOKENIZER.config);

  const old = await Deno.makeTempDir();
  const tokens = Array.from({ length: TOKENIZER.vocabularySize }, (_, id) => TOKENIZER.token(id));
  await Deno.writeTextFile(join(old, "vocab.txt"), tokens.join("\n") + "\n");
  const fromList = await loadTokenizer(old);
  deepStrictEqual(fromList.encodeText(text), ids);
  strictEqual(fromList.vocabularySize, TOKENIZER.vocabularySize);
  // trailing white space of a line is not part of its token, as in transformers 5.24
  await Deno.writeTextFile(join(old, "vocab.txt"), tokens.join(" \t\u0085\n") + "\u3000\n");
  const trimmed = await loadTokenizer(old);
  deepStrictEqual(tokens.map((_, id) => trimmed.token(id)), tokens);
  await Deno.writeTextFile(join(old, "vocab.txt"), "\ufeff" + tokens.join("\r\n"));
  deepStrictEqual((await loadTokenizer(old)).encodeText(text), ids, "as Notepad writes it");
});

Deno.test("loadTokenizer() reports line and byte of a vocab.txt that is not UTF-8", async () => {
  const dir = await Deno.makeTempDir(), path = join(dir, "vocab.txt");
  const latin1 = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ncrêpe\n";
  await Deno.writeFile(path, Uint8Array.from(latin1, (character) => character.charCodeAt(0)));
  await rejects(loadTokenizer(dir), {
    name: "EncodingError",
    message: `Cannot read vocabulary: ${path} is not UTF-8 (line 6, byte offset 33 is 0xEA); it ` +
      "looks like Latin-1 or Windows-1252: convert it to UTF-8, for example with " +
      "iconv -f WINDOWS-1252 -t UTF-8",
  });
});

Deno.test("loadTokenizer() reports a missing or damaged file and how to fix it", async () => {
  const dir = await Deno.makeTempDir(), path = join(dir, "tokenizer.json");
  await rejects(loadTokenizer(dir), {
    name: "NotFound",
    message: `Cannot load tokenizer: ${dir} contains neither tokenizer.json nor vocab.txt. ` +
      `Copy the file from the source of the checkpoint`,
  });
  const whole = await Deno.readTextFile(join(TOKENIZER_FOLDER, "tokenizer.json"));
  await Deno.writeTextFile(path, whole.slice(0, 100));
  await rejects(loadTokenizer(dir), (error: Error) => {
    strictEqual(error.name, "SyntaxError");
    strictEqual(
      error.message.startsWith(`Cannot read tokenizer: ${path} is not valid JSON (`),
      true,
    );
    return error.message.endsWith(". Copy the file again");
  });
});

Deno.test("tokenizerFromJson() treats missing and null added tokens as none", () => {
  const { added_tokens: _, ...without } = JSON_FILE;
  for (const json of [without, { ...without, added_tokens: null }]) {
    const text = "the railway";
    deepStrictEqual(tokenizerFromJson(json).encodeText(text), TOKENIZER.encodeText(text));
  }
});

Deno.test("token() rejects an id outside the vocabulary", () => {
  throws(() => TOKENIZER.token(TOKENIZER.vocabularySize), {
    name: "RangeError",
    message: `Cannot look up token ${TOKENIZER.vocabularySize}: ids are 0 … ${
      TOKENIZER.vocabularySize - 1
    }`,
  });
});

Deno.test("withLowercase() lowercases the texts of a cased tokenizer and keeps accents, offsets and special tokens", () => {
  const cased = (settings: Json) =>
    tokenizerFromJson(JSON_FILE, {
      tokenizer_class: "BertTokenizer",
      do_lower_case: false,
      ...settings,
    });
  const text = "The RAILWAY İn [SEP] É";
  const plain = cased({});
  const lowered = withLowercase(plain);
  deepStrictEqual(tokensOf(plain.encodeText("RAILWAY")), ["[UNK]"]); // the premise
  const { ids, starts, ends } = lowered.encodeWithOffsets(text);
  const found = tokensOf(ids, lowered).map((token, i) => [token, text.slice(starts[i], ends[i])]);
  deepStrictEqual(found.slice(0, 2), [["the", "The"], ["railway", "RAILWAY"]]);
  ok(found.some(([token, part]) => token === "[SEP]" && part === "[SEP]"));
  // "İ" becomes two code points, "i" and a dot above, both from one character of the text
  const within = [...starts].map((start, i) => [start, ends[i] ?? NaN])
    .filter(([start = 0]) => start >= 12 && start < 14);
  ok(within.length > 0);
  ok(within.every(([start = NaN, end = NaN]) => 12 <= start && start < end && end <= 14));
  deepStrictEqual(lowered.encodeText("É"), plain.encodeText("é"));
  const stripped = withLowercase(cased({ strip_accents: true }));
  deepStrictEqual(stripped.encodeText("É"), plain.encodeText("e"));
  // a tokenizer that already lowercases is unchanged
  deepStrictEqual(withLowercase(TOKENIZER).encodeText(text), TOKENIZER.encodeText(text));
});
