"""Records how sentence-transformers applies the text settings of a model folder, for
test/model/sentence_settings_test.ts.

A case is a folder in test/fixtures/sentence_transformers with a few files replaced. For each case, the fixture contains
the replaced files (not the weights), several choices of prompt, and the embeddings for each choice.

    python test/parity/sentence_settings_parity.py test/fixtures/sentence_transformers

Run with sentence-transformers 6.2.0, transformers 5.24.0 and PyTorch 2.13.0.
"""
import json
import pathlib
import shutil
import sys
import tempfile

import sentence_transformers
import torch
import transformers
from sentence_transformers import SentenceTransformer

VERSIONS = {
    "sentence-transformers": sentence_transformers.__version__,
    "transformers": transformers.__version__,
    "torch": torch.__version__,
}
SETTINGS = "config_sentence_transformers.json"
ENCODER = "sentence_bert_config.json"
POOLING = "1_Pooling/config.json"
TOKENIZER = "tokenizer_config.json"

TEXTS = [
    "Ada Lovelace wrote to Babbage.",
    "SÃO PAULO, 1999: İT'S raining — ΑΣ again! [SEP] yes",
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen",
    "",
]
PROMPTS = {"lookup": "wrote to: ", "glued": "pau", "plain": "", "gone": None}
DEFAULT = {SETTINGS: {"prompts": PROMPTS, "default_prompt_name": "lookup"}}
LONG = "one two three four five six seven eight nine ten eleven twelve thirteen "
CHOICES = [{}, {"prompt_name": "plain"}, {"prompt_name": "glued"}, {"prompt": "yes: "}, {"prompt": ""}]


def pooling(mode, **more):
    return {POOLING: {"embedding_dimension": 16, "pooling_mode": mode, **more}}


def cased(source, **more):
    """Settings of a tokenizer that preserves case, and accents unless `more` overrides it."""
    config = json.loads((source / TOKENIZER).read_text())
    return {TOKENIZER: {**config, "do_lower_case": False, **more}}


def list_cases(source):
    """Yields name, folder, replaced files and prompt choices of each case."""
    without = {"include_prompt": False}
    yield "default prompt", "max-l2", DEFAULT, [*CHOICES, {"prompt_name": "gone"}, {"prompt_name": "query"}]
    for mode in ["mean", "max", "cls"]:
        files = {**DEFAULT, **pooling(mode, **without)}
        yield f"{mode} without the prompt", "max-l2", files, CHOICES
    yield "pooler without the prompt", "cls-tanh-dense-l2", {**DEFAULT, **pooling("cls", **without)}, CHOICES
    yield "a prompt longer than the limit", "max-l2", pooling("mean", **without), [{"prompt": LONG}, {"prompt": " "}]
    yield "a known default name without a prompt", "max-l2", {SETTINGS: {"default_prompt_name": "query"}}, [{}]
    yield "do_lower_case", "max-l2", {ENCODER: {"do_lower_case": True}, **cased(source)}, [{}]
    yield (
        "do_lower_case without accents", "max-l2",
        {ENCODER: {"do_lower_case": True}, **cased(source, strip_accents=True)}, [{}],
    )
    yield "do_lower_case twice", "max-l2", {ENCODER: {"do_lower_case": True}}, [{}]
    yield "case preserved", "max-l2", cased(source), [{}]
    yield (
        "settings under another name, after an empty file", "max-l2",
        {ENCODER: {}, "sentence_roberta_config.json": {"max_seq_length": 6, "do_lower_case": True},
         **cased(source)}, [{}],
    )
    yield "max_seq_length null", "max-l2", {ENCODER: {"max_seq_length": None, "do_lower_case": False}}, [{}]
    yield "no pooling mode", "max-l2", {POOLING: {"word_embedding_dimension": 16}}, [{}]


def main(target):
    target = pathlib.Path(target)
    cases = []
    for name, base, files, choices in list_cases(target / "max-l2"):
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(target / base, folder, dirs_exist_ok=True)
            for path, content in files.items():
                (pathlib.Path(folder) / path).write_text(json.dumps(content))
            model = SentenceTransformer(folder, device="cpu")
            answers = [
                {"choice": choice, "embeddings": [[round(x, 7) for x in row] for row in model.encode(TEXTS, **choice).tolist()]}
                for choice in choices
            ]
        cases.append({"name": name, "base": base, "files": files, "answers": answers})
    content = {"versions": VERSIONS, "texts": TEXTS, "cases": cases}
    (target / "settings.json").write_text(json.dumps(content, ensure_ascii=False))
    print(VERSIONS, f"{len(cases)} cases")


main(*sys.argv[1:])
