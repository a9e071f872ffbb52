"""Creates test/fixtures/tag_scores.json: scores of 5,000 random tag sequences, most of them malformed, according to
seqeval in its default mode (conlleval's rules) and with mode="strict", scheme=IOB2; and the output of conlleval.pl for
some of them.

    python3 test/parity/tag_scores.py conlleval.pl     (needs seqeval and perl; the fixture records the versions)

The fixture does not contain the sequences: test/eval/tag_sequences.ts generates the same ones. conlleval.pl (Tjong Kim
Sang, 2004) is not part of this repository; it is distributed with the CoNLL-2003 shared task.
"""
import json, platform, subprocess, sys, warnings
from importlib.metadata import version
from pathlib import Path

from seqeval.metrics import accuracy_score, classification_report, f1_score, precision_score, recall_score
from seqeval.scheme import IOB2

TAGS = ["O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC"]
BATCHES, SENTENCES = 50, 100
PRINTED = 10  # batches scored by conlleval.pl
warnings.filterwarnings("ignore")  # scores with a zero denominator are 0, as in lib/eval


def draws(state):
    """The linear congruential generator of Numerical Recipes (1992). Yields the upper half of its state."""
    while True:
        state = (1664525 * state + 1013904223) % 2**32
        yield state >> 16


def make_batch(batch):
    draw = draws(batch)
    below = lambda bound: next(draw) % bound
    gold = [[TAGS[below(7)] for _ in range(1 + below(12))] for _ in range(SENTENCES)]
    rate = 5 + 9 * (batch % 10)  # percentage of words with a random tag, which may be the same one
    predicted = [[TAGS[below(7)] if below(100) < rate else tag for tag in tags] for tags in gold]
    return gold, predicted


def scores(gold, predicted, **mode):
    report = classification_report(gold, predicted, output_dict=True, **mode)
    micro = [float(metric(gold, predicted, **mode)) for metric in (precision_score, recall_score, f1_score)]
    types = {t: [float(r["precision"]), float(r["recall"]), float(r["f1-score"]), int(r["support"])]
             for t, r in report.items() if not t.endswith(" avg")}
    return {"all": micro, "perType": types}


def conlleval(gold, predicted):
    lines = ["\n".join(f"x {g} {p}" for g, p in zip(*pair)) + "\n\n" for pair in zip(gold, predicted)]
    return subprocess.run(["perl", sys.argv[1]], input="".join(lines), capture_output=True, text=True, check=True).stdout


batches = []
for batch in range(BATCHES):
    gold, predicted = make_batch(batch)
    found = {"conlleval": scores(gold, predicted), "strict": scores(gold, predicted, mode="strict", scheme=IOB2),
             "tokenAccuracy": float(accuracy_score(gold, predicted))}
    batches.append({**found, **({"printed": conlleval(gold, predicted)} if batch < PRINTED else {})})

out = Path(__file__).parent.parent / "fixtures" / "tag_scores.json"
made = {"by": "test/parity/tag_scores.py", "python": platform.python_version(), "seqeval": version("seqeval"),
        "numpy": version("numpy"), "sentences": SENTENCES}
body = ",\n".join(json.dumps(b, separators=(",", ":")) for b in batches)
out.write_text(f'{{"made": {json.dumps(made)}, "batches": [\n{body}\n]}}\n')
print(out, out.stat().st_size)
