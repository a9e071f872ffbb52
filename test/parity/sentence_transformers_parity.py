"""Checks that sentence-transformers and transformers can load model folders, and vice versa.

Loads every folder written by write_model_folders.ts, compares its embeddings (1e-5), and loads each encoder with
transformers' AutoModel. With a second argument, saves folders with sentence-transformers, together with its embeddings,
as fixtures for test/model/sentence_folder_test.ts.

    deno run -A test/parity/write_model_folders.ts DIR
    python test/parity/sentence_transformers_parity.py DIR [test/fixtures/sentence_transformers]

Run with sentence-transformers 5.1.2 (transformers 4.57.1) and 6.2.0 (transformers 5.24.0), PyTorch 2.13.0;
the fixtures were created with the latter.
"""
import json
import pathlib
import shutil
import sys

import sentence_transformers
import torch
import transformers
from sentence_transformers import SentenceTransformer
from sentence_transformers.models import Dense, Normalize, Pooling, Transformer

VERSIONS = {
    "sentence-transformers": sentence_transformers.__version__,
    "transformers": transformers.__version__,
    "torch": torch.__version__,
}


def check(folder):
    """Returns the largest difference from the expected embeddings, and from the hidden states of AutoModel."""
    expected = json.loads((folder / "expected.json").read_text())
    model = SentenceTransformer(str(folder), device="cpu")
    wanted = torch.tensor(expected["embeddings"])
    found = model.encode(expected["texts"], convert_to_tensor=True)
    if expected["normalize"] == "l1":  # modules.json cannot express an L1 norm, as the model card says
        found = found / found.abs().sum(-1, keepdim=True)
    distance = (found - wanted).abs().max().item()
    encoder = transformers.AutoModel.from_pretrained(folder).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    inputs = tokenizer(expected["texts"], padding=True, truncation=True, return_tensors="pt")
    with torch.no_grad():
        theirs = encoder(**inputs).last_hidden_state
        ours = model[0](dict(inputs))["token_embeddings"]
    mask = inputs["attention_mask"].bool()
    return max(distance, (theirs - ours)[mask].abs().max().item())


def write_fixture(source, target, modules, name):
    """Saves a folder with sentence-transformers, together with its embeddings."""
    torch.manual_seed(5)
    encoder = Transformer(str(source), max_seq_length=12)
    model = SentenceTransformer(modules=[encoder, *modules(encoder)], device="cpu")
    place = target / name
    shutil.rmtree(place, ignore_errors=True)
    model.save(str(place), create_model_card=False)
    texts = json.loads((source / "expected.json").read_text())["texts"]
    embeddings = model.encode(texts).tolist()
    (place / "expected.json").write_text(json.dumps({"versions": VERSIONS, "texts": texts, "embeddings": embeddings}))


def main(source, target=None):
    folders = sorted(path.parent for path in pathlib.Path(source).glob("*/expected.json"))
    worst = 0
    for folder in folders:
        distance = check(folder)
        worst = max(worst, distance)
        print(f"{folder.name:24} {distance:.1e}")
    print(VERSIONS, f"{len(folders)} folders, largest difference {worst:.1e}")
    assert len(folders) > 0 and worst < 1e-5
    if target is None:
        return
    target = pathlib.Path(target)
    base = pathlib.Path(source) / "mean-none-none"
    write_fixture(base, target, lambda _: [Pooling(16, "max"), Normalize()], "max-l2")
    write_fixture(base, target, lambda _: [
        Pooling(16, "cls"),
        Dense(16, 16, activation_function=torch.nn.Tanh()),
        Dense(16, 5, activation_function=torch.nn.Identity()),
        Normalize(),
    ], "cls-tanh-dense-l2")


main(*sys.argv[1:])
