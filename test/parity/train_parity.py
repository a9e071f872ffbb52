"""Records twenty training steps of PyTorch, for test/train/parity_test.ts.

    pip install torch==2.13.0 transformers==4.57.1
    python test/parity/train_parity.py test/fixtures/train/steps.json

A tiny BERT with two heads, without dropout, with layer-wise learning rates, warm-up, weight decay and gradient clipping.
Each step has a batch of both tasks. The initial weights are computed from a hash of their names, so the file contains
only batches and results.
"""
import base64, json, sys
import numpy as np, torch, transformers
from torch import nn
from torch.nn import functional as F
from transformers import BertConfig, BertModel

BERT = dict(vocab_size=40, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
            max_position_embeddings=12, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
TASKS = {"topic": 4, "tags": 5}
RECIPE = dict(steps=20, top=3e-3, decay=0.6, heads=1e-2, weightDecay=0.05, warmup=0.25, clipNorm=2.0,
              weights={"topic": 1.0, "tags": 0.5})


def mix32(h):
    h = np.uint32(h); h ^= h >> np.uint32(16); h = h * np.uint32(0x85ebca6b)
    h ^= h >> np.uint32(13); h = h * np.uint32(0xc2b2ae35); return h ^ (h >> np.uint32(16))


def values(name, shape):
    """Uniform in ±0.3 for matrices and ±0.1 for vectors (around 1 for gains): MurmurHash3's finalizer of FNV-1a(name) + i."""
    h = 0x811c9dc5
    for c in name: h = ((h ^ ord(c)) * 0x01000193) & 0xffffffff
    start = int(mix32(np.array([h], np.uint32))[0])
    index = (np.arange(int(np.prod(shape)), dtype=np.uint64) + start).astype(np.uint32)
    unit = mix32(index).astype(np.float64) / 2 ** 32 * 2 - 1
    gain = len(shape) == 1 and ("norm" in name.lower()) and name.endswith("weight")
    return torch.tensor((unit * (0.3 if len(shape) > 1 else 0.1) + gain).astype(np.float32).reshape(shape))


class Head(nn.Module):
    def __init__(self, hidden, labels):
        super().__init__()
        self.dense, self.norm, self.out = nn.Linear(hidden, hidden), nn.LayerNorm(hidden), nn.Linear(hidden, labels)

    def forward(self, x): return self.out(F.gelu(self.norm(self.dense(x))))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = BertModel(BertConfig(**BERT, attn_implementation="eager"))
        self.heads = nn.ModuleDict({t: Head(BERT["hidden_size"], n) for t, n in TASKS.items()})
        with torch.no_grad():
            for name, p in self.named_parameters(): p.copy_(values(name.removeprefix("encoder."), tuple(p.shape))
                                                            if name.startswith("encoder.") else values(name, tuple(p.shape)))

    def forward(self, task, ids, mask):
        h = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        if task == "topic": h = (h * mask.unsqueeze(-1)).sum(1) / mask.sum(1, keepdim=True)
        return self.heads[task](h)


def batch(task, rng):
    rows, length = 4, int(rng.choice([6, 8, 12]))
    ids = rng.integers(5, BERT["vocab_size"], (rows, length)); mask = np.ones_like(ids)
    for r in range(1, rows): mask[r, int(rng.integers(2, length + 1)):] = 0
    ids = ids * mask
    labels = rng.integers(0, TASKS[task], rows if task == "topic" else (rows, length))
    if task == "tags": labels[(mask == 0) | (rng.random(mask.shape) < 0.2)] = -1
    elif rng.random() < 0.3: labels[-1] = -1
    return dict(rows=rows, length=length, ids=ids.ravel().tolist(), mask=mask.ravel().tolist(), labels=labels.ravel().tolist())


def group(name, p):
    r, n = RECIPE, BERT["num_hidden_layers"]
    if not name.startswith("encoder."): lr = r["heads"]
    elif ".layer." in name: lr = r["top"] * r["decay"] ** (n - 1 - int(name.split(".layer.")[1].split(".")[0]))
    elif "embeddings" in name: lr = r["top"] * r["decay"] ** n
    else: lr = r["top"]
    return dict(params=[p], lr=lr, weight_decay=0.0 if p.ndim == 1 else r["weightDecay"])


def main(path):
    torch.manual_seed(0); rng, steps, warmup = np.random.default_rng(13), RECIPE["steps"], RECIPE["warmup"]
    model = Model().train()
    optimizer = torch.optim.AdamW([group(n, p) for n, p in model.named_parameters()])
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: min((s + 1) / (warmup * steps), max(0.0, (steps - s) / (steps * (1 - warmup)))))
    rows, batches = [], {t: [batch(t, rng) for _ in range(4)] for t in TASKS}  # few batches, so that losses fall
    for step in range(steps):
        row, total = dict(losses={}), 0
        for task in TASKS:
            b = batches[task][step % 4]
            shape = (b["rows"], b["length"])
            logits = model(task, torch.tensor(b["ids"]).view(shape), torch.tensor(b["mask"]).view(shape))
            loss = F.cross_entropy(logits.view(-1, TASKS[task]), torch.tensor(b["labels"]), ignore_index=-1)
            row["losses"][task] = loss.item(); total = total + RECIPE["weights"][task] * loss
        total.backward()
        row["gradientNorm"] = torch.nn.utils.clip_grad_norm_(model.parameters(), RECIPE["clipNorm"]).item()
        optimizer.step(); schedule.step(); optimizer.zero_grad(set_to_none=True)
        rows.append(row)
    # every value, as float32 in base64
    final = {n.removeprefix("encoder."): base64.b64encode(p.detach().numpy().astype("<f4").tobytes()).decode()
             for n, p in model.named_parameters()}
    made = dict(versions=dict(torch=torch.__version__, transformers=transformers.__version__), bert=BERT, tasks=TASKS,
                recipe=RECIPE, batches=batches, steps=rows, final=final)
    with open(path, "w") as file: json.dump(made, file, separators=(",", ":"))
    print([round(r["losses"]["topic"], 4) for r in rows], [round(r["losses"]["tags"], 4) for r in rows],
          [round(r["gradientNorm"], 2) for r in rows], sep="\n")


if __name__ == "__main__": main(sys.argv[1])
