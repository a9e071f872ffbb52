"""Records which file of a tokenizer takes precedence in transformers' AutoTokenizer, for
test/text/tokenizer_rules_test.ts.

    pip install transformers==5.24.0
    python test/parity/tokenizer_rules.py        # from the root of the repository

Each case is a folder with config.json, tokenizer.json (or vocab.txt) and tokenizer_config.json (or none).
"""
import itertools, json, os, tempfile
import tokenizers, transformers
from transformers import AutoTokenizer

transformers.logging.set_verbosity_error()
TARGET = "test/fixtures/tokenizer_rules.json"
VOCAB = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "cafe", "Cafe", "café", "Café", "東", "##京", "京", "a", "##b", "@@b", "abc", "b",
         "<s>", "</s>", "<unk>", "new", "[X]", "[", "]", "x", "sep"]
TEXTS = ["Café cafe", "東京 A", "ab abcb Abc", "a\u0000b", "[SEP] [X] [Y] new <s>", "zz [sep] cafe\u0301"]
UNCASED = dict(clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=True)
CASED = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)


def special(content, id, **more):
    return dict(id=id, content=content, single_word=False, lstrip=False, rstrip=False, normalized=False, special=True, **more)


def template(cls, sep):
    one = lambda id, type_id=0: {"SpecialToken": {"id": id, "type_id": type_id}}
    text = lambda id, type_id: {"Sequence": {"id": id, "type_id": type_id}}
    return {"type": "TemplateProcessing", "single": [one(cls), text("A", 0), one(sep)], "pair": [one(cls), text("A", 0), one(sep), text("B", 1), one(sep, 1)],
            "special_tokens": {t: {"id": t, "ids": [VOCAB.index(t)], "tokens": [t]} for t in (cls, sep)}}


def base(normalizer, **more):
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [special(t, i) for i, t in enumerate(VOCAB[:5])],
            "normalizer": normalizer and {"type": "BertNormalizer", **normalizer}, "pre_tokenizer": {"type": "BertPreTokenizer"},
            "post_processor": template("[CLS]", "[SEP]"), "decoder": None,
            "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
                      "vocab": {t: i for i, t in enumerate(VOCAB)}}, **more}


cases = []


def add(name, tokenizer, config, model=None, **files):
    cases.append({"name": name, "tokenizer": tokenizer, "config": config, "model": {"model_type": "bert", **(model or {})}, "files": files})


for says, normalizer in [("uncased", UNCASED), ("cased", CASED), ("nothing", None)]:
    add(f"no tokenizer_config.json, tokenizer.json says {says}", base(normalizer), None)
    add(f"empty tokenizer_config.json, tokenizer.json says {says}", base(normalizer), {})
for normalizer, says in [(UNCASED, "uncased"), (CASED, "cased")]:
    for lower, strip, cjk in itertools.product([None, True, False], ["missing", None, True, False], [None, True, False]):
        config = {"tokenizer_class": "BertTokenizer"}
        if lower is not None: config["do_lower_case"] = lower
        if strip != "missing": config["strip_accents"] = strip
        if cjk is not None: config["tokenize_chinese_chars"] = cjk
        add(f"{json.dumps(config)}, tokenizer.json says {says}", base(normalizer), config)
for name in ["BertTokenizerFast", "DistilBertTokenizer", "ElectraTokenizerFast", "MobileBertTokenizer", "SqueezeBertTokenizer", "LayoutLMTokenizer",
             "LxmertTokenizer", "DPRQuestionEncoderTokenizer", "DPRContextEncoderTokenizer", "PreTrainedTokenizerFast", "PreTrainedTokenizer",
             "TokenizersBackend", "ConvBertTokenizer", "RetriBertTokenizer"]:
    add(f"tokenizer_class {name} with do_lower_case", base(CASED), {"tokenizer_class": name, "do_lower_case": True})
for name in ["BertTokenizer", "PreTrainedTokenizerFast"]:
    add(f"tokenizer_class {name} in config.json", base(CASED), None, {"tokenizer_class": name})
    add(f"tokenizer_class {name} in config.json beside other settings", base(CASED), {"strip_accents": True}, {"tokenizer_class": name})
    odd = base(UNCASED)
    odd["model"] |= {"max_input_chars_per_word": 3, "continuing_subword_prefix": "@@"}
    add(f"{name}: another prefix and word length", odd, {"tokenizer_class": name})
    add(f"{name}: no added tokens", base(UNCASED, added_tokens=[]), {"tokenizer_class": name})
    add(f"{name}: an added token in tokenizer.json", base(UNCASED, added_tokens=base(None)["added_tokens"] + [special("[X]", 21)]), {"tokenizer_class": name})
    add(f"{name}: an added token after the vocabulary", base(UNCASED, added_tokens=base(None)["added_tokens"] + [special("new", 20), special("[sep]", 99)]), {"tokenizer_class": name})
    decoder = {str(i): {k: v for k, v in special(t, i).items() if k != "id"} for i, t in [(0, "[PAD]"), (1, "[UNK]"), (2, "[CLS]"), (3, "[SEP]"), (21, "[X]")]}
    add(f"{name}: added_tokens_decoder", base(UNCASED, added_tokens=base(None)["added_tokens"] + [special("new", 20)]), {"tokenizer_class": name, "added_tokens_decoder": decoder})
    add(f"{name}: extra special tokens", base(UNCASED), {"tokenizer_class": name, "additional_special_tokens": ["[X]"]})
add("other special tokens", base(UNCASED), {"cls_token": "<s>", "sep_token": {"__type": "AddedToken", "content": "</s>", "lstrip": False, "rstrip": False, "normalized": False, "single_word": False}, "unk_token": "<unk>"})
bert_processing = base(UNCASED, post_processor={"type": "BertProcessing", "cls": ["[CLS]", 2], "sep": ["[SEP]", 3]})
add("BertProcessing of tokenizer.json", bert_processing, {"tokenizer_class": "PreTrainedTokenizerFast"})
untyped = base(UNCASED)
del untyped["model"]["type"]
add("a model without a type", untyped, {})
add("vocab.txt alone", None, None)
add("vocab.txt and tokenizer_config.json", None, {"do_lower_case": False, "strip_accents": True})
ROLES = {"cls_token": "<s>", "sep_token": {"content": "</s>", "lstrip": False, "rstrip": False, "normalized": False, "single_word": False}}
add("special_tokens_map.json", base(UNCASED), {"sep_token": "[SEP]"}, special_tokens_map=ROLES)
add("special_tokens_map.json and no tokenizer_config.json", base(UNCASED), None, special_tokens_map={"unk_token": "<unk>"})
add("special_tokens_map.json beside added_tokens_decoder", base(UNCASED), {"added_tokens_decoder": {"0": {k: v for k, v in special("[PAD]", 0).items() if k != "id"}}}, special_tokens_map=ROLES)
add("vocab.txt, special_tokens_map.json and added_tokens.json", None, {}, special_tokens_map={"additional_special_tokens": ["[X]", "[Y]"]}, added_tokens={"[Y]": 40, "[X]": 21})

for case in cases:
    with tempfile.TemporaryDirectory() as folder:
        def write(name, value):
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(value if isinstance(value, str) else json.dumps(value))
        write("config.json", case["model"])
        if case["tokenizer"] is None: write("vocab.txt", "\n".join(VOCAB) + "\n")
        else: write("tokenizer.json", case["tokenizer"])
        if case["config"] is not None: write("tokenizer_config.json", case["config"])
        for name, value in case["files"].items(): write(name + ".json", value)
        tok = AutoTokenizer.from_pretrained(folder)
        case["ids"] = [tok(text)["input_ids"] for text in TEXTS]

with open(TARGET, "w", encoding="utf-8") as file:
    line = lambda value: json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    head = {"versions": {"transformers": transformers.__version__, "tokenizers": tokenizers.__version__}, "vocabulary": VOCAB, "texts": TEXTS}
    # store only the fields of tokenizer.json that differ from the first case
    first = cases[0]["tokenizer"]
    for case in cases:
        if case["tokenizer"] is not None: case["tokenizer"] = {k: v for k, v in case["tokenizer"].items() if v != first[k]}
    file.write(line(head)[:-1] + ',"first":' + line(first) + ',"cases":[\n' + ",\n".join(map(line, cases)) + "\n]}\n")
