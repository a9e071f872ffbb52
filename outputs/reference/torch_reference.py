"""PyTorch's side of the comparison of scores: the same tasks, data, recipe and length buckets in plain PyTorch.

    pip install torch==2.13.0 transformers==4.57.1 polars
    python torch_reference.py --data DIR --model sentence-transformers/all-MiniLM-L6-v2 --out results.json [--epochs 1]
                              [--tasks ag_news,conll2003] [--pooling mean] [--normalize none] [--seed 13] [--pad bucket|max]
                              [--precision float32|bfloat16]

DIR holds ag_news, conll2003 and conllpp, each with SPLIT.parquet. Every step takes one batch of each task; an epoch is
one pass over the larger data set, the smaller one goes round again. Word tags sit on the first piece of each word.
Entity scores are exact-span F1 under conlleval's rules (an I- without its B- opens an entity) and under strict IOB2
(it opens none).
"""
import argparse, json, math, random, time, resource
import numpy as np, polars as pl, torch
from torch import nn
from torch.nn import functional as F
from transformers import AutoTokenizer, BertModel

TAGS = ["O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC", "B-MISC", "I-MISC"]


class Head(nn.Module):
    """dropout · dense · layer norm · GELU · dropout · dense"""
    def __init__(self, hidden, labels, p=0.1):
        super().__init__()
        self.dense, self.norm, self.out, self.p = nn.Linear(hidden, hidden), nn.LayerNorm(hidden), nn.Linear(hidden, labels), p
        for m in (self.dense, self.out):
            nn.init.normal_(m.weight, std=0.02); nn.init.zeros_(m.bias)

    def forward(self, x):
        x = F.dropout(x, self.p, self.training)
        x = F.gelu(self.norm(self.dense(x)))
        return self.out(F.dropout(x, self.p, self.training))


class MultiTask(nn.Module):
    def __init__(self, path, pooling, normalize):
        super().__init__()
        self.encoder = BertModel.from_pretrained(path, attn_implementation="sdpa")
        h = self.encoder.config.hidden_size
        self.ag_news, self.conll2003, self.pooling, self.normalize = Head(h, 4), Head(h, 9), pooling, normalize

    def embed(self, out, mask):
        h, m = out.last_hidden_state, mask.unsqueeze(-1)
        if self.pooling == "mean": e = (h * m).sum(1) / m.sum(1)
        elif self.pooling == "max": e = h.masked_fill(m == 0, float("-inf")).max(1).values
        elif self.pooling == "cls": e = out.pooler_output
        else: e = h[:, 0]
        return e if self.normalize == "none" else F.normalize(e, p=1 if self.normalize == "l1" else 2, dim=-1)

    def forward(self, task, ids, mask):
        out = self.encoder(input_ids=ids, attention_mask=mask)
        return self.ag_news(self.embed(out, mask)) if task == "ag_news" else self.conll2003(out.last_hidden_state)


def load(task, split, data, tok, limit=128):
    """rows as (ids, label) or (ids, tag per piece with -100 where there is none, all word tags)"""
    table = pl.read_parquet(f"{data}/{task}/{split}.parquet")
    if task == "ag_news":
        enc = tok(table["text"].to_list(), truncation=True, max_length=limit)["input_ids"]
        return list(zip(enc, table["label"].to_list()))
    enc = tok(table["tokens"].to_list(), is_split_into_words=True, truncation=True, max_length=limit)
    rows = []
    for i, tags in enumerate(table["ner_tags"].to_list()):
        seen, labels = None, []
        for w in enc.word_ids(i):
            labels.append(-100 if w is None or w == seen else tags[w]); seen = w
        rows.append((enc["input_ids"][i], labels, tags))
    return rows


def batches(rows, size, rng, pad):
    """length buckets: shuffle, sort inside pools of 50 batches, shuffle the batches"""
    order = list(range(len(rows)))
    if rng:
        rng.shuffle(order)
        pools = [sorted(order[i:i + 50 * size], key=lambda r: len(rows[r][0])) for i in range(0, len(order), 50 * size)]
        groups = [p[i:i + size] for p in pools for i in range(0, len(p), size)]
        rng.shuffle(groups)
    else:
        order.sort(key=lambda r: len(rows[r][0]))
        groups = [order[i:i + size] for i in range(0, len(order), size)]
    for g in groups:
        width = 128 if pad == "max" else max(len(rows[r][0]) for r in g)
        ids, mask = torch.zeros(len(g), width, dtype=torch.long), torch.zeros(len(g), width, dtype=torch.long)
        tagged = isinstance(rows[0][1], list)
        labels = torch.full((len(g), width), -100) if tagged else torch.tensor([rows[r][1] for r in g])
        for k, r in enumerate(g):
            n = len(rows[r][0]); ids[k, :n] = torch.tensor(rows[r][0]); mask[k, :n] = 1
            if tagged: labels[k, :n] = torch.tensor(rows[r][1])
        yield g, ids, mask, labels


def spans(tags, strict):
    found, start, kind = set(), None, None
    for i, t in enumerate(tags + ["O"]):
        mark, k = (t[0], t[2:]) if t != "O" else ("O", None)
        if start is not None and (mark != "I" or k != kind):
            found.add((start, i, kind)); start = kind = None
        if mark == "B" or (mark == "I" and start is None and not strict): start, kind = i, k
    return found


def entity_scores(gold, pred, strict=False):
    out = {}
    for kind in [None, "PER", "ORG", "LOC", "MISC"]:
        tp = fp = fn = 0
        for g, p in zip(gold, pred):
            g, p = ({s for s in spans(x, strict) if kind is None or s[2] == kind} for x in (g, p))
            tp += len(g & p); fp += len(p - g); fn += len(g - p)
        P, R = tp / max(1, tp + fp), tp / max(1, tp + fn)
        out[kind or "all"] = dict(precision=P, recall=R, f1=2 * P * R / max(1e-12, P + R), gold=tp + fn)
    return out


@torch.no_grad()
def evaluate(model, task, rows):
    model.eval(); got = [None] * len(rows); t0 = time.time()
    for g, ids, mask, labels in batches(rows, 64, None, "bucket"):
        logits = model(task, ids, mask)
        for k, r in enumerate(g):
            got[r] = int(logits[k].argmax()) if task == "ag_news" else logits[k, :len(rows[r][0])].argmax(-1).tolist()
    model.train(); seconds = time.time() - t0
    if task == "ag_news":
        gold = np.array([r[1] for r in rows]); pred = np.array(got)
        f1 = [2 * ((pred == c) & (gold == c)).sum() / max(1, (pred == c).sum() + (gold == c).sum()) for c in range(4)]
        return dict(rows=len(rows), accuracy=float((gold == pred).mean()), macro_f1=float(np.mean(f1)), seconds=seconds)
    gold = [[TAGS[t] for t in r[2]] for r in rows]
    pred = [[TAGS[p] for p, t in zip(q, r[1]) if t >= 0] for q, r in zip(got, rows)]
    pred = [p + ["O"] * (len(g) - len(p)) for g, p in zip(gold, pred)]      # words cut off count as missed
    right = sum(a == b for g, p in zip(gold, pred) for a, b in zip(g, p))
    return dict(rows=len(rows), conlleval=entity_scores(gold, pred), strict=entity_scores(gold, pred, True),
                token_accuracy=right / sum(map(len, gold)), seconds=seconds)


def groups(model, top, decay, head, weight_decay=0.01):
    """embeddings lowest, rising by layer, pooler with the top layer, heads highest; no decay on bias and layer norm"""
    n = model.encoder.config.num_hidden_layers; out = {}
    for name, p in model.named_parameters():
        if not name.startswith("encoder."): lr = head
        elif ".layer." in name: lr = top * decay ** (n - 1 - int(name.split(".layer.")[1].split(".")[0]))
        elif "embeddings" in name: lr = top * decay ** n
        else: lr = top
        wd = 0.0 if p.ndim == 1 else weight_decay
        out.setdefault((lr, wd), []).append(p)
    return [dict(params=ps, lr=lr, weight_decay=wd) for (lr, wd), ps in out.items()]


def main():
    a = argparse.ArgumentParser()
    for k, v in dict(data="data", model="sentence-transformers/all-MiniLM-L6-v2", out="results.json", tasks="ag_news,conll2003",
                     pooling="mean", normalize="none", pad="bucket", precision="float32").items(): a.add_argument("--" + k, default=v)
    for k, v in dict(epochs=1.0, lr=1e-4, decay=0.9, head_lr=5e-4, warmup=0.06).items(): a.add_argument("--" + k, type=float, default=v)
    for k, v in dict(seed=13, batch=32, threads=2, max_steps=0).items(): a.add_argument("--" + k, type=int, default=v)
    a.add_argument("--save", default=""); a = a.parse_args()
    torch.set_num_threads(a.threads); torch.manual_seed(a.seed); rng = random.Random(a.seed)
    tok, tasks = AutoTokenizer.from_pretrained(a.model), a.tasks.split(",")
    train, valid, test = {}, {}, {}
    for t in tasks:
        train[t], test[t] = load(t, "train", a.data, tok), load(t, "test", a.data, tok)
        if t == "ag_news": rng.shuffle(train[t]); valid[t], train[t] = train[t][:2000], train[t][2000:]
        else: valid[t] = load(t, "validation", a.data, tok)
    model = MultiTask(a.model, a.pooling, a.normalize).train()
    steps = int(a.epochs * max(math.ceil(len(train[t]) / a.batch) for t in tasks))
    if a.max_steps: steps = min(steps, a.max_steps)
    opt = torch.optim.AdamW(groups(model, a.lr, a.decay, a.head_lr))
    sched = torch.optim.lr_scheduler.LambdaLR(opt, lambda s: min((s + 1) / (a.warmup * steps), max(0.0, (steps - s) / (steps * (1 - a.warmup)))))
    def forever(t):
        while True: yield from batches(train[t], a.batch, rng, a.pad)
    feed = {t: forever(t) for t in tasks}; t0 = time.time(); tokens = 0; log = []
    for step in range(steps):
        losses = {}
        for t in tasks:
            _, ids, mask, labels = next(feed[t]); tokens += int(mask.sum())
            with torch.autocast("cpu", torch.bfloat16, enabled=a.precision == "bfloat16"): logits = model(t, ids, mask)
            losses[t] = F.cross_entropy(logits.float().view(-1, logits.shape[-1]), labels.view(-1), ignore_index=-100)
        sum(losses.values()).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step(); sched.step(); opt.zero_grad(set_to_none=True)
        if step % 50 == 0 or step == steps - 1:
            log.append(dict(step=step, seconds=round(time.time() - t0, 1), tokens=tokens, **{k: round(v.item(), 4) for k, v in losses.items()}))
            print(json.dumps(log[-1]), flush=True)
    result = dict(config=vars(a), steps=steps, train_seconds=time.time() - t0, tokens=tokens, torch=torch.__version__,
                  peak_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                  validation={t: evaluate(model, t, valid[t]) for t in tasks}, test={t: evaluate(model, t, test[t]) for t in tasks}, log=log)
    if "conll2003" in tasks:
        try: result["test"]["conllpp"] = evaluate(model, "conll2003", [r for r in load_pp(a.data, tok)])
        except FileNotFoundError: pass
    json.dump(result, open(a.out, "w"), indent=1)
    if a.save: torch.save(model.state_dict(), a.save)
    print(json.dumps({k: result[k] for k in ("steps", "train_seconds", "tokens", "peak_mib", "test")}))


def load_pp(data, tok):
    """CoNLL++ has the columns of CoNLL-2003"""
    import os, tempfile
    with tempfile.TemporaryDirectory() as d:
        os.makedirs(f"{d}/conll2003"); os.symlink(os.path.abspath(f"{data}/conllpp/test.parquet"), f"{d}/conll2003/test.parquet")
        return load("conll2003", "test", d, tok)


if __name__ == "__main__": main()
