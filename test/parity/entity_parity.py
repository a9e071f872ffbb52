"""Makes test/fixtures/entity_scores.json: random tag sequences, most of them malformed, with the spans and scores that
seqeval finds in them by its default mode (conlleval's rules) and by mode="strict", scheme=IOB2.

    python3 test/parity/entity_parity.py      (needs seqeval; the versions are written into the fixture)

seqeval's other habits that do not show here: it takes tags without a type as type "_" and warns on unknown marks;
lib/eval refuses both.
"""
import json, platform, random, warnings
from importlib.metadata import version
from pathlib import Path

from seqeval.metrics import accuracy_score, classification_report, f1_score, precision_score, recall_score
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.scheme import IOB2, Entities

TAGS = ["O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC"]
warnings.filterwarnings("ignore")  # scores without a denominator are 0 here as there
rng = random.Random(13)


def noise(length):
    """Any tag after any tag."""
    return rng.choices(TAGS, weights=[4, 2, 3, 2, 3, 1, 2], k=length)


def disturb(tags, rate):
    """A prediction: gold with some tags replaced, as a model errs."""
    return [rng.choice(TAGS) if rng.random() < rate else tag for tag in tags]


def scores(gold, predicted, **mode):
    report = classification_report(gold, predicted, output_dict=True, **mode)
    types = {t: {"precision": float(r["precision"]), "recall": float(r["recall"]), "f1": float(r["f1-score"]), "support": int(r["support"])}
             for t, r in report.items() if not t.endswith(" avg")}
    return {"precision": float(precision_score(gold, predicted, **mode)), "recall": float(recall_score(gold, predicted, **mode)),
            "f1": float(f1_score(gold, predicted, **mode)), "perType": types}


def strict_spans(tags):
    return [[e.tag, e.start, e.end] for e in Entities([tags], IOB2).entities[0]]  # end is past the last word


def default_spans(tags):
    return [[kind, start, end + 1] for kind, start, end in get_entities(tags)]  # end is the last word


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
