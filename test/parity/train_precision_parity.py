"""Records training steps of PyTorch in mixed precision, for test/train/precision_parity_test.ts.

    pip install torch==2.13.0 transformers==4.57.1
    python test/parity/train_precision_parity.py test/fixtures/train

Model, recipe and batches are those of train_parity.py (batches are read from its steps.json); only the number of steps
and the precision differ. The file contains losses, gradient norms, loss scales and skipped steps.
"""
import json, os, sys
import torch
from torch.nn import functional as F
from train_parity import RECIPE, TASKS, Model, group

RATE_FACTOR = 1
# CUDA's autocast computes layer norm in float32, the CPU's in the type of its input. (Both compute softmax in float32.)
layer_norm = F.layer_norm
F.layer_norm = lambda x, *rest: layer_norm(x.float(), *rest)
STEPS, DTYPES = 50, {"mixed-bfloat16": torch.bfloat16, "mixed-float16": torch.float16}
# Losses times 1e30 at these steps: no half-precision gradient stays finite.
FORCED = dict(initial=2.0 ** 17, growth=4.0, backoff=0.25, interval=3, steps=24, boost=1e30, at=[0, 1, 7, 12, 13, 20])


def run(batches, dtype, steps, scaler=None, boosts=()):
    torch.manual_seed(0); warmup = RECIPE["warmup"]
    model = Model().train()
    optimizer = torch.optim.AdamW([group(n, p) for n, p in model.named_parameters()])
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: RATE_FACTOR * min((s + 1) / (warmup * steps), max(0.0, (steps - s) / (steps * (1 - warmup)))))
    scaler = scaler or torch.amp.GradScaler("cpu", enabled=False)
    rows = []
    for step in range(steps):
        row, total = dict(losses={}), 0
        for task in TASKS:
            b = batches[task][step % 4]
            shape = (b["rows"], b["length"])
            with torch.autocast("cpu", dtype=dtype, enabled=dtype is not torch.float32):
                logits = model(task, torch.tensor(b["ids"]).view(shape), torch.tensor(b["mask"]).view(shape))
            # CUDA's autocast computes losses in float32, the CPU's in half precision.
            loss = F.cross_entropy(logits.float().view(-1, TASKS[task]), torch.tensor(b["labels"]), ignore_index=-1)
            row["losses"][task] = loss.item(); total = total + RECIPE["weights"][task] * loss
        if step in boosts: total = total * FORCED["boost"]
        scaler.scale(total).backward()
        scaler.unscale_(optimizer)
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), RECIPE["clipNorm"]).item()
        row["gradientNorm"] = norm if norm == norm and abs(norm) != float("inf") else None
        before = scaler.get_scale() if scaler.is_enabled() else None
        scaler.step(optimizer); scaler.update(); schedule.step(); optimizer.zero_grad(set_to_none=True)
        if before is not None: row["scale"], row["skipped"] = scaler.get_scale(), scaler.get_scale() < before
        rows.append(row)
    return rows


def overflowing(batches, scale):
    """Names of the parameters whose gradient is not finite in the first float16 step with this loss scale."""
    torch.manual_seed(0); model = Model().train(); total = 0
    for task in TASKS:
        b = batches[task][0]; shape = (b["rows"], b["length"])
        with torch.autocast("cpu", dtype=torch.float16):
            logits = model(task, torch.tensor(b["ids"]).view(shape), torch.tensor(b["mask"]).view(shape))
        total = total + RECIPE["weights"][task] * F.cross_entropy(
            logits.float().view(-1, TASKS[task]), torch.tensor(b["labels"]), ignore_index=-1)
    (total * scale).backward()
    return [n for n, p in model.named_parameters() if p.grad is not None and not p.grad.isfinite().all()]


def find_marginal(batches):
    """Finds a loss scale at which the gradient of exactly one parameter overflows, and also at 10 % below and above it."""
    for k in range(600):
        scale = 2.0 ** 12 * 1.03 ** k
        low, middle, high = (overflowing(batches, scale * f) for f in (0.9, 1, 1.1))
        if len(middle) == 1 and low == middle == high: return dict(scale=scale, parameter=middle[0])
    raise SystemExit("no scale makes a single gradient overflow")


def scaler_of(r): return torch.amp.GradScaler("cpu", init_scale=r["initial"], growth_factor=r["growth"], backoff_factor=r["backoff"],
                                              growth_interval=r["interval"])


def main(folder):
    batches = json.load(open(os.path.join(folder, "steps.json")))["batches"]
    plain = dict(initial=65536.0, growth=2.0, backoff=0.5, interval=2000)
    marginal = find_marginal(batches)
    finite = next(s for s in (marginal["scale"] / 1.05 ** k for k in range(200)) if not overflowing(batches, s * 1.1))
    marginal["finite"] = finite
    print(marginal)
    made = dict(versions=dict(torch=torch.__version__), rateFactor=RATE_FACTOR, forced=FORCED, marginal=marginal, runs={
        "float32": run(batches, torch.float32, STEPS),
        "mixed-bfloat16": run(batches, torch.bfloat16, STEPS),
        "mixed-float16": run(batches, torch.float16, STEPS, scaler_of(plain)),
        "forced": run(batches, torch.float16, FORCED["steps"], scaler_of(FORCED), FORCED["at"]),
    })
    with open(os.path.join(folder, "precision.json"), "w") as file: json.dump(made, file, separators=(",", ":"))
    for name, rows in made["runs"].items():
        print(name, [round(r["losses"]["topic"], 4) for r in rows][-8:], [round(r["losses"]["tags"], 4) for r in rows][-8:])
    for name in DTYPES:
        worst = max(abs(a["losses"][t] - b["losses"][t]) / b["losses"][t] for a, b in zip(made["runs"][name], made["runs"]["float32"]) for t in TASKS)
        print(name, "against float32, worst relative difference of a loss:", worst)
    print([(r["scale"], r["skipped"]) for r in made["runs"]["forced"]])


if __name__ == "__main__": main(sys.argv[1])
