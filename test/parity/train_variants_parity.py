"""Records training steps of PyTorch with other recipes, for test/train/variants_parity_test.ts.

    pip install torch==2.13.0 transformers==4.57.1
    python test/parity/train_variants_parity.py test/fixtures/train

Model, recipe and batches are those of train_parity.py (batches are read from its steps.json). The file contains only
losses and gradient norms. A parameter without a gradient is not changed by a step, as is PyTorch's rule for grad None.
"""
import json, os, sys
import torch
from torch import nn
from torch.nn import functional as F
from train_parity import RECIPE, TASKS, Model, group

STEPS, STAGE = 16, 4
STAGES = ["heads.", "encoder.encoder.layer.1.", "encoder.encoder.layer.0.", "encoder.embeddings."]  # from the top down


def mean_loss(model, batches, task, numbers):
    """Mean over all labels of several batches that are not ignored."""
    total = count = 0
    for i in numbers:
        b = batches[task][i % 4]
        shape, labels = (b["rows"], b["length"]), torch.tensor(b["labels"])
        logits = model(task, torch.tensor(b["ids"]).view(shape), torch.tensor(b["mask"]).view(shape))
        total = total + F.cross_entropy(logits.view(-1, TASKS[task]), labels, ignore_index=-1, reduction="sum")
        count += int((labels >= 0).sum())
    return total / count


def run(batches, *, learns=lambda name, step: True, tasks=lambda step: list(TASKS), accumulate=1, uncertain=False):
    torch.manual_seed(0); warmup = RECIPE["warmup"]
    model = Model().train()
    variances = nn.ParameterDict({t: nn.Parameter(torch.zeros(())) for t in TASKS}) if uncertain else {}
    named = [*model.named_parameters(), *((f"uncertainty.{t}", p) for t, p in variances.items())]
    optimizer = torch.optim.AdamW([group(n, p) if p.ndim else dict(params=[p], lr=RECIPE["heads"], weight_decay=0.0) for n, p in named])
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: min((s + 1) / (warmup * STEPS), max(0.0, (STEPS - s) / (STEPS * (1 - warmup)))))
    rows = []
    for step in range(STEPS):
        for name, p in named: p.requires_grad_(learns(name, step))
        row, total = dict(losses={}), 0
        for task in tasks(step):
            loss = mean_loss(model, batches, task, range(step * accumulate, (step + 1) * accumulate))
            row["losses"][task] = loss.item()
            total = total + (torch.exp(-variances[task]) * loss + variances[task] / 2 if uncertain else RECIPE["weights"][task] * loss)
        total.backward()
        row["gradientNorm"] = nn.utils.clip_grad_norm_([p for _, p in named], RECIPE["clipNorm"]).item()
        optimizer.step(); schedule.step(); optimizer.zero_grad(set_to_none=True)
        if uncertain: row["logVariances"] = {t: p.item() for t, p in variances.items()}
        rows.append(row)
    return rows


def main(folder):
    batches = json.load(open(os.path.join(folder, "steps.json")))["batches"]
    frozen = ("encoder.embeddings.", "encoder.encoder.layer.0.", "heads.topic.")
    begins = lambda name: next(i for i, prefix in enumerate(STAGES) if name.startswith(prefix) or "pooler" in name and i == 1)
    turns = ["topic", "topic", "tags", "topic", "tags", "tags", "topic", "tags"]
    made = dict(versions=dict(torch=torch.__version__), stepsPerStage=STAGE, turns=turns, runs={
        "one task a step": run(batches, tasks=lambda s: [turns[s % len(turns)]]),
        "two batches a step": run(batches, accumulate=2),
        "learned loss weights": run(batches, uncertain=True),
        "frozen": run(batches, learns=lambda name, s: not name.startswith(frozen)),
        "unfrozen one by one": run(batches, learns=lambda name, s: begins(name) <= s // STAGE),
    })
    with open(os.path.join(folder, "variants.json"), "w") as file: json.dump(made, file, separators=(",", ":"))
    for name, rows in made["runs"].items(): print(name, rows[0], rows[-1])


if __name__ == "__main__": main(sys.argv[1])
