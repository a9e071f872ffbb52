"""Records ids, word indices and offsets of Hugging Face's fast BERT tokenizer, for test/text/tokenizer_test.ts.

    pip install transformers==4.57.1
    python test/parity/tokenizer_parity.py        # from the root of the repository

The vocabulary is that of test/fixtures/tokenizer. Offsets are converted from code points to UTF-16 units, which
JavaScript uses.
"""
import json
import tokenizers, transformers
from transformers import BertTokenizerFast

SOURCE, TARGET = "test/fixtures/tokenizer/tokenizer.json", "test/fixtures/tokenizer_parity.json"

TEXTS = [
    "", " ", "\t\n\r ", "The railway station reopened.", "  The   RAILWAY\tstation\n", "Zürich's café, naïve façade",
    "Zu\u0308rich cafe\u0301 e\u0301", "\u0301", "a\u0301\u0302\u0303b", "Ångström \u212b \u2126 \u212a", "İzmir I\u0307zmir ıI",
    "Ærøskøbing Đorđe ŁÓDŹ ẞ ß ŉ ǰ", "ΟΔΟΣ ΑΘΗΝΑΣ Σ ΣΣ ς", "東京の天気は晴れです。", "東京tokyo大阪", "\u8c48\uf900\U0002f800",
    "𠀀𠀁 𠀂x", "서울 날씨", "\u1112\u1161\u11ab한", "🎉 🎉🎉 a🎉b", "👨\u200d👩\u200d👧 ❤\ufe0f 🇩🇪", "𝒜 𝒜bc", "Привет, мир!", "Й ё Ё",
    "שָׁלוֹם עולם", "\u202eשלום\u202c abc", "مَرْحَبًا بالعالم", "हिन्दी में वाक्य।", "a\u0000b\u0001c\u007fd\u0080e", "a\ufffdb",
    "soft\u00adhyphen zero\u200bwidth bom\ufeff\ufeffx", "nbsp\u00a0en\u2002em\u2003thin\u2009ideo\u3000line\u2028para\u2029ogham\u1680.",
    "vt\u000bff\u000cnel\u0085x", "\ue000private\uf8ff", "x" * 100, "x" * 101, "é" * 101, "the " + "y" * 300 + " end", "ab" * 60,
    "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", "“quoted” ‘single’ – — … « » ¿¡ ‰ ′ ″ € £ ¥ © ® ™ ° ± ×", "$1,200.50-3/4 (5%)", "don't we’re",
    "[SEP] and [CLS]the[MASK]", "[sep] [UNK] [PAD]x", "##ing #ing ing", "http://example.org/?q=a&b=c", "a\u0338<\u0338≮", "\u037e\u1fef\u0387;`·",
    "ﬁ ﬂ ½ ² ① Ⅳ ㎏ ㍿", "\U0001d15e \U0001d165\U0001d16e", "क\u093c ज\u093cि \u0958", "\u0e40\u0e2a\u0e35\u0e22\u0e07", "ﷺ ﷲ", "Aͣ Z̡̖a̷lgo̴",
    "\u0344\u0958\u09dc\ufb2a", "tail\u0301\u0302", "\u0301head", "mid\u0301 \u0301dle",
]
WORDS = [
    ["The", "railway", "station", "."], ["Zürich", "'s", "café"], [], ["U.S.-based", "don't", "$1,200"], ["東京tokyo", "𠀀𠀁"],
    ["x" * 101, "a" * 3], ["ΟΔΟΣ", "ς"], ["two words", "one"], ["[SEP]", "x[CLS]y"], ["e\u0301", "🎉🎉"],
]
VARIANTS = {
    "uncased": dict(clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=True),
    "cased": dict(clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=False),
    "accents kept": dict(clean_text=True, handle_chinese_chars=True, strip_accents=False, lowercase=True),
    "only accents stripped": dict(clean_text=False, handle_chinese_chars=False, strip_accents=True, lowercase=False),
}


def utf16(text):
    """Position of each code point in UTF-16 units, and the length."""
    places = [0]
    for c in text:
        places.append(places[-1] + (2 if ord(c) > 0xFFFF else 1))
    return places


out = {"versions": {"transformers": transformers.__version__, "tokenizers": tokenizers.__version__}, "variants": {}}
for name, normalizer in VARIANTS.items():
    source = json.load(open(SOURCE, encoding="utf-8"))
    source["normalizer"] = {"type": "BertNormalizer", **normalizer}
    # without these arguments, the defaults of BertTokenizerFast override tokenizer.json
    tok = BertTokenizerFast(tokenizer_object=tokenizers.Tokenizer.from_str(json.dumps(source)),
                            do_lower_case=normalizer["lowercase"], strip_accents=normalizer["strip_accents"],
                            tokenize_chinese_chars=normalizer["handle_chinese_chars"])
    texts = []
    for text in TEXTS:
        e, at = tok(text, add_special_tokens=False, return_offsets_mapping=True), utf16(text)
        texts.append({"text": text, "ids": e["input_ids"], "starts": [at[a] for a, _ in e["offset_mapping"]],
                      "ends": [at[b] for _, b in e["offset_mapping"]]})
    words = []
    for row in WORDS:
        e = tok(row, is_split_into_words=True, add_special_tokens=False)
        words.append({"words": row, "ids": e["input_ids"], "owners": e.word_ids() if row else []})
    out["variants"][name] = {"normalizer": normalizer, "texts": texts, "words": words}

with open(TARGET, "w", encoding="utf-8") as file:
    variants = out["variants"]
    line = lambda value: json.dumps(value, separators=(",", ":"))
    file.write('{"versions":' + line(out["versions"]) + ',"variants":{\n')
    file.write(",\n".join(
        line(name) + ':{"normalizer":' + line(v["normalizer"]) + ',"texts":[\n' + ",\n".join(map(line, v["texts"]))
        + '\n],"words":[\n' + ",\n".join(map(line, v["words"])) + "\n]}" for name, v in variants.items()))
    file.write("\n}}\n")
