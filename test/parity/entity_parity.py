"""Creates test/fixtures/entity_scores.json: random tag sequences, most of them malformed, with their spans and scores
according to seqeval in its default mode (conlleval's rules) and with mode="strict", scheme=IOB2.

    python3 test/parity/entity_parity.py      (needs seqeval; the fixture records the versions)

Not covered: seqeval treats tags without a type as type "_" and only warns about unknown prefixes; lib/eval rejects both.
"""
import json, platform, random, warnings
from importlib.metadata import version
from pathlib import Path

from seqeval.metrics import accuracy_score, classification_report, f1_score, precision_score, recall_score
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.scheme import IOB2, Entities

TAGS = ["O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC"]
warnings.filterwarnings("ignore")  # scores with a zero denominator are 0, as in lib/eval
rng = random.Random(13)


def noise(length):
    """Random tags, in which any tag can follow any other."""
    return rng.choices(TAGS, weights=[4, 2, 3, 2, 3, 1, 2], k=length)


def disturb(tags, rate):
    """A prediction: the gold tags with some of them replaced."""
    return [rng.choice(TAGS) if rng.random() < rate else tag for tag in tags]


def scores(gold, predicted, **mode):
    report = classification_report(gold, predicted, output_dict=True, **mode)
    types = {t: {"precision": float(r["precision"]), "recall": float(r["recall"]), "f1": float(r["f1-score"]), "support": int(r["support"])}
             for t, r in report.items() if not t.endswith(" avg")}
    return {"precision": float(precision_score(gold, predicted, **mode)), "recall": float(recall_score(gold, predicted, **mode)),
            "f1": float(f1_score(gold, predicted, **mode)), "perType": types}


def strict_spans(tags):
    return [[e.tag, e.start, e.end] for e in Entities([tags], IOB2).entities[0]]  # end is exclusive


def default_spans(tags):
    return [[kind, start, end + 1] for kind, start, end in get_entities(tags)]  # end is inclusive


groups = []
for group in range(20):
    gold = [noise(rng.randint(1, 12)) for _ in range(20)]
    predicted = [disturb(tags, 0.05 * (group % 10) + 0.05) for tags in gold]
    strict = {"mode": "strict", "scheme": IOB2}
    groups.append({
        "sentences": [{"gold": " ".join(g), "predicted": " ".join(p), "conlleval": default_spans(p), "strict": strict_spans(p)}
                      for g, p in zip(gold, predicted)],
        "conlleval": scores(gold, predicted), "strict": scores(gold, predicted, **strict),
        "tokenAccuracy": float(accuracy_score(gold, predicted)),
    })

out = Path(__file__).parent.parent / "fixtures" / "entity_scores.json"
made = {"by": "test/parity/entity_parity.py", "python": platform.python_version(), "seqeval": version("seqeval"), "numpy": version("numpy")}
head, body = json.dumps(made), ",\n".join(json.dumps(g, separators=(",", ":")) for g in groups)
out.write_text(f'{{"made": {head}, "groups": [\n{body}\n]}}\n')
print(out, out.stat().st_size)
