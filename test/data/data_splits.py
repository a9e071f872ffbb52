"""Makes test/fixtures/data_splits.json: which files `datasets` reads as which split of a local folder.

    pip install datasets==5.2.0 pyarrow
    python test/data/data_splits.py

Each case: the files of a folder (all parquet files hold the same two rows), README.md or .huggingface.yaml where it has
them, and the splits with their files in order; null where `datasets` refuses.
"""
import json, platform, random, shutil, tempfile
from importlib.metadata import version
from pathlib import Path

import pyarrow
import pyarrow.parquet
from datasets import load_dataset_builder
from datasets.utils.logging import set_verbosity_error

set_verbosity_error()
CARD = "---\nlicense: mit\n{}\n---\n# A data set\n"
SHARD = "{}-0000{}-of-0000{}.parquet"

NAMED = {
    "plain": ["train.parquet", "test.parquet", "validation.parquet"],
    "prefixes": ["train.parquet", "trainees.parquet", "test.parquet", "testimonials.parquet", "valley.parquet"],
    "other words": ["training.parquet", "testing.parquet", "valid.parquet"],
    "dev and eval": ["train.parquet", "dev.parquet", "eval.parquet"],
    "val and evaluation": ["train.parquet", "val.parquet", "evaluation.parquet"],
    "dev beside validation": ["train.parquet", "dev.parquet", "validation.parquet"],
    "order of keywords": ["training.parquet", "train.parquet", "a-train.parquet"],
    "separators": ["train_1.parquet", "train-2.parquet", "train.3.parquet", "train 4.parquet", "train5.parquet"],
    "before the split": ["news_train.parquet", "news-test.parquet", "news.dev.parquet", "newstrain.parquet", "1train.parquet"],
    "upper case": ["Train.parquet", "TEST.parquet", "train.parquet"],
    "upper case alone": ["Train.parquet", "TEST.parquet"],
    "no split in the names": ["b.parquet", "a.parquet"],
    "one file": ["data.parquet"],
    "test alone": ["test.parquet", "more.parquet"],
    "two splits in a name": ["train_test.parquet", "x.parquet"],
    "shards at the top": [SHARD.format("train", 0, 2), SHARD.format("train", 1, 2), SHARD.format("test", 0, 1)],
    "clone": ["data/" + SHARD.format("train", 0, 1), "data/" + SHARD.format("test", 0, 1), ".gitattributes"],
    "clone with git": ["data/" + SHARD.format("train", 0, 1), ".git/train.parquet", ".cache/test/x.parquet"],
    "clone with hashes": ["data/train-00000-of-00001-0123456789abcdef.parquet", "data/test-00000-of-00001-fedc.parquet"],
    "clone with its own splits": ["data/" + SHARD.format(s, 0, 1) for s in ["zeta", "test", "train", "alpha", "dev", "a.b"]],
    "clone and more": ["data/" + SHARD.format("train", 0, 1), "test.parquet", "data/test.parquet", "test/0.parquet"],
    "data without shards": ["data/train.parquet", "data/test.parquet"],
    "deep shards": ["x/data/" + SHARD.format("train", 0, 1), "x/data/" + SHARD.format("test", 0, 1)],
    "folders": ["train/b.parquet", "train/a.parquet", "test/0.parquet", "more.parquet"],
    "folders in data": ["data/train/0.parquet", "data/test/0.parquet", "data/validation/0.parquet"],
    "folders deep": ["a/train/b/c/0.parquet", "a/test/0.parquet"],
    "folders with names around": ["my-train/0.parquet", "test_1/0.parquet", "x dev y/0.parquet", "trainees/0.parquet"],
    "folders before files": ["train/0.parquet", "test.parquet", "validation.parquet"],
    "file and folder names": ["train/test.parquet", "test/train.parquet"],
    "folder of both": ["train/test/0.parquet", "x/0.parquet"],
    "two words of a split": ["validation/dev/0.parquet", "train/0.parquet"],
    "configurations": ["a/train/0000.parquet", "b/train/0001.parquet", "a/test/0000.parquet"],
    "special folders": ["__pycache__/train.parquet", "train.parquet", ".hidden.parquet", "__x/test/0.parquet"],
    "hidden": [".train.parquet", "x.parquet"],
    "partial": ["default/partial-train/0000.parquet", "default/test/0000.parquet"],
    "five digits": ["data/train-0-of-1.parquet", "data/x-00000-of-00001.parquet"],
    "spaces": ["my data/train set.parquet", "my data/test set.parquet"],
    "letters of other scripts": ["café_train.parquet", "тест.parquet", "данные test.parquet"],
    "dated": ["2024-train-v2.parquet", "2024-test-v2.parquet"],
    "trains and tests": ["trains.parquet", "tests.parquet", "validate.parquet"],
}
CONFIGS = {
    "patterns": ("configs:\n- config_name: default\n  data_files:\n  - split: train\n    path: data/train-*\n  - split: test\n    path: data/test-*",
                 ["data/" + SHARD.format("train", 0, 1), "data/" + SHARD.format("test", 0, 1), "data/" + SHARD.format("more", 0, 1)]),
    "its own splits": ("configs:\n- config_name: x\n  data_files:\n  - split: first\n    path: [b.parquet, a.parquet]\n  - split: second.half\n    path: '*/?[0-9].parquet'",
                       ["a.parquet", "b.parquet", "c/x1.parquet", "c/xx.parquet", "c/d/x1.parquet"]),
    "a text": ("configs:\n- config_name: default\n  data_files: '*.parquet'", ["a.parquet", "test.parquet", "b/c.parquet"]),
    "a list": ("configs:\n- config_name: default\n  data_files:\n  - b.parquet\n  - a/**", ["a/test.parquet", "a/b/x.parquet", "b.parquet"]),
    "a folder": ("configs:\n- config_name: default\n  data_dir: inner", ["inner/train.parquet", "inner/test.parquet", "train.parquet"]),
    "a folder deep": ("configs:\n- config_name: default\n  data_dir: inner/more", ["inner/more/data/" + SHARD.format("train", 0, 1), "inner/train.parquet"]),
    "two, default by name": ("configs:\n- config_name: other\n  data_files: b.parquet\n- config_name: default\n  data_files: a.parquet", ["a.parquet", "b.parquet"]),
    "two, default by mark": ("configs:\n- config_name: other\n  data_files: b.parquet\n- config_name: one\n  default: true\n  data_files: a.parquet", ["a.parquet", "b.parquet"]),
    "two, no default": ("configs:\n- config_name: other\n  data_files: b.parquet\n- config_name: one\n  data_files: a.parquet", ["a.parquet", "b.parquet"]),
    "two defaults": ("configs:\n- config_name: other\n  default: true\n  data_files: b.parquet\n- config_name: default\n  data_files: a.parquet", ["a.parquet", "b.parquet"]),
    "a missing file": ("configs:\n- config_name: default\n  data_files: c.parquet", ["a.parquet"]),
    "a missing pattern": ("configs:\n- config_name: default\n  data_files:\n  - split: train\n    path: [c*, a*]", ["a.parquet"]),
    "hidden asked for": ("configs:\n- config_name: default\n  data_files: '.hidden/*'", [".hidden/a.parquet", "b.parquet"]),
    "classes": ("configs:\n- config_name: default\n  data_files: '[!a]*.parquet'", ["a.parquet", "b.parquet", "c-d.parquet"]),
    "a split twice": ("configs:\n- config_name: default\n  data_files:\n  - split: train\n    path: a.parquet\n  - split: train\n    path: b.parquet", ["a.parquet", "b.parquet"]),
    "a split with a dash": ("configs:\n- config_name: default\n  data_files:\n  - split: my-train\n    path: a.parquet", ["a.parquet"]),
    "leading dots": ("configs:\n- config_name: default\n  data_files: ./a.parquet", ["a.parquet", "b.parquet"]),
    "no name": ("configs:\n- data_files: a.parquet", ["a.parquet"]),
    "no configs": ("tags:\n- news", ["train.parquet", "test.parquet"]),
    "two stars in a name": ("configs:\n- config_name: default\n  data_files: '**.parquet'", ["a.parquet", "b/c.parquet"]),
    "a missing split": ("configs:\n- config_name: default\n  data_files:\n  - split: train\n    path: a*\n  - split: test\n    path: t*", ["a.parquet"]),
}


def ask(folder, files, card=None, settings=None):
    shutil.rmtree(folder, ignore_errors=True)
    for name in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".parquet"):
            pyarrow.parquet.write_table(pyarrow.table({"text": ["a", "b"], "label": [0, 1]}), path)
        else:
            path.write_text("")
    if card is not None:
        (folder / "README.md").write_text(card)
    if settings is not None:
        (folder / ".huggingface.yaml").write_text(settings)
    try:
        builder = load_dataset_builder(str(folder), cache_dir=str(folder.parent / "cache"))
        found = builder.config.data_files
        splits = {str(split): [str(Path(p).relative_to(folder)) for p in paths] for split, paths in found.items()}
        splits = {split: paths for split, paths in splits.items() if paths} or None
    except Exception as error:
        print(f"{type(error).__name__}: {str(error)[:100]!r} for {files[:3]}")
        splits = None
    case = {"files": files, "splits": splits}
    return {**case, **({"card": card} if card else {}), **({"settings": settings} if settings else {})}


def draw(rng):
    words = ["train", "training", "test", "testing", "eval", "dev", "val", "valid", "validation", "trainees", "tests", "news", "x", "v1", "2024", "data"]

    def name():
        parts = rng.sample(words, rng.choice([1, 1, 2, 3]))
        return "".join(p + (rng.choice(["-", "_", ".", " ", ""]) if i + 1 < len(parts) else "") for i, p in enumerate(parts))

    return sorted({"/".join([*(name() for _ in range(rng.choice([0, 0, 0, 1, 2]))), name() + ".parquet"]) for _ in range(rng.randint(1, 5))})


def main():
    rng = random.Random(7)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place).resolve() / "folder"
        cases = [{"name": name, **ask(folder, files)} for name, files in NAMED.items()]
        cases += [{"name": f"card: {name}", **ask(folder, files, CARD.format(text))} for name, (text, files) in CONFIGS.items()]
        text, files = CONFIGS["its own splits"]
        cases.append({"name": "settings in .huggingface.yaml", **ask(folder, files, CARD.format("configs: []"), text)})
        for index in range(200):
            files = draw(rng)
            while any(a != b and b.startswith(a + "/") for a in files for b in files):
                files = draw(rng)
            cases.append({"name": f"drawn {index}", **ask(folder, files)})
    versions = {name: version(name) for name in ["datasets", "fsspec", "huggingface_hub", "pyarrow"]}
    target = Path(__file__).parent.parent / "fixtures" / "data_splits.json"
    lines = ",\n".join("    " + json.dumps(case, ensure_ascii=False) for case in cases)
    target.write_text('{\n  "versions": ' + json.dumps({"python": platform.python_version(), **versions}) + ',\n  "cases": [\n' + lines + "\n  ]\n}\n")


main()
