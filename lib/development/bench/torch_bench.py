"""Runs a benchmark job with PyTorch: reads the job (see `job.ts`) as JSON from stdin and prints its outcome.

    echo JOB | python torch_bench.py eager|compiled

Needs torch and transformers. Each process measures one variant, so that variants do not disturb each other.
"""

import json
import os
import resource
import statistics
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

DTYPES = {"float32": None, "mixed-bfloat16": torch.bfloat16, "mixed-float16": torch.float16}
VOCABULARY = 30522
SHORT_TEXT = "A short sentence to encode."


def autocast(precision):
    """Autocast context of a forward pass: half precision if the job asks for it."""
    dtype = DTYPES[precision]
    return torch.autocast("cpu", dtype or torch.bfloat16, enabled=dtype is not None)


def peak_mib():
    """Peak resident memory of this process, without that of its parent shell."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / 2**20 if sys.platform == "darwin" else peak / 1024


class Head(nn.Module):
    """dropout, dense, layer norm, GELU, dropout, output layer: same as `lib/model/multi_task.ts`."""

    def __init__(self, size, labels, dropout):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(size, size), nn.LayerNorm(size), nn.GELU(),
            nn.Dropout(dropout), nn.Linear(size, labels),
        )

    def forward(self, x):
        return self.layers(x)


class TwoTasks(nn.Module):
    """One BERT encoder with a sentence head (masked mean) and a token head."""

    def __init__(self, shape, dropout):
        from transformers import BertConfig, BertModel

        super().__init__()
        config = BertConfig(
            vocab_size=VOCABULARY, hidden_size=shape["hiddenSize"], num_hidden_layers=shape["layers"],
            num_attention_heads=shape["attentionHeads"], intermediate_size=shape["intermediateSize"],
            hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout,
            attn_implementation="sdpa",
        )
        self.encoder = BertModel(config, add_pooling_layer=False)
        self.topic = Head(config.hidden_size, 4, dropout)
        self.entities = Head(config.hidden_size, 9, dropout)

    def encode(self, ids, mask):
        return self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state  # [B, T, D]

    def forward(self, topic, entities):
        """Sum of both losses; each task is (ids, mask, labels)."""
        ids, mask, labels = topic
        weights = mask.unsqueeze(-1).float()
        pooled = (self.encode(ids, mask) * weights).sum(1) / weights.sum(1)
        loss = F.cross_entropy(self.topic(pooled), labels)
        ids, mask, labels = entities
        scores = self.entities(self.encode(ids, mask))
        return loss + F.cross_entropy(scores.flatten(0, 1), labels.flatten())


def draw_batches(shapes):
    """Random tokens and labels for the two batches of a step."""
    (rows, length), (tag_rows, tag_length) = [(each["rows"], each["length"]) for each in shapes]

    def batch(rows, length, labels):
        ids = torch.randint(1000, 30000, (rows, length))
        return ids, torch.ones(rows, length, dtype=torch.long), labels

    return (
        batch(rows, length, torch.randint(0, 4, (rows,))),
        batch(tag_rows, tag_length, torch.randint(0, 9, (tag_rows, tag_length))),
    )


def measure_steps(work, precision, compiled):
    """Measures steps: forward, backward, clipping to norm 1, fused AdamW."""
    model = TwoTasks(work["model"], work["dropout"]).train()
    forward = torch.compile(model) if compiled else model
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, weight_decay=0.01, fused=True)
    steps = [work["steps"][0]] * work["warmup"] + work["steps"]
    times = []
    for shapes in steps:
        batches = draw_batches(shapes)
        start = time.perf_counter()
        with autocast(precision):
            loss = forward(*batches)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        loss.item()
        times.append((time.perf_counter() - start) * 1e3)
    times = times[work["warmup"]:]
    tokens = sum(batch["tokens"] for step in work["steps"] for batch in step)
    return [measurement(times, tokensPerSecond=tokens / sum(times) * 1e3)]


def measure_encoding(work, precision, compiled):
    """Measures masked means of the last hidden state, sorted by length, including tokenization."""
    from transformers import AutoTokenizer, BertModel

    tokenizer = AutoTokenizer.from_pretrained(work["model"])
    model = BertModel.from_pretrained(work["model"], attn_implementation="sdpa").eval()
    forward = torch.compile(model, dynamic=True) if compiled else model
    with open(work["texts"], encoding="utf-8-sig") as file:
        lines = [line for line in file.read().split("\n") if line.strip()]
    texts = [lines[i % len(lines)].removesuffix("\r") for i in range(work["count"])]
    longest = min(work["maxLength"], max_length(work["model"], model.config))

    def measure(texts, rows, uncounted, counted):
        times = []
        for _ in range(uncounted + counted):
            start = time.perf_counter()
            with torch.inference_mode(), autocast(precision):
                encode_once(texts, tokenizer, forward, rows=rows, longest=longest)
            times.append((time.perf_counter() - start) * 1e3)
        return times[uncounted:]

    times = measure(texts, work["rows"], 1, work["passes"])
    short = statistics.median(measure([SHORT_TEXT], 1, 5, 50))  # same as in `measure_encode.ts`
    rate = len(texts) * len(times) / sum(times) * 1e3
    return [measurement(times, textsPerSecond=rate, shortTextMs=short)]


def max_length(folder, config):
    """Maximum input length of a model folder, as sentence-transformers determines it."""
    try:
        with open(os.path.join(folder, "sentence_bert_config.json"), encoding="utf-8") as file:
            return json.load(file).get("max_seq_length") or config.max_position_embeddings
    except FileNotFoundError:
        return config.max_position_embeddings


def encode_once(texts, tokenizer, forward, *, rows, longest):
    """One pass over the texts, `rows` at a time."""
    ids = tokenizer(texts, truncation=True, max_length=longest)["input_ids"]
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]), reverse=True)
    embeddings = [None] * len(texts)
    for first in range(0, len(order), rows):
        chosen = order[first:first + rows]
        length = len(ids[chosen[0]])
        padded = torch.full((len(chosen), length), tokenizer.pad_token_id)
        mask = torch.zeros((len(chosen), length), dtype=torch.long)
        for row, text in enumerate(chosen):
            padded[row, :len(ids[text])] = torch.tensor(ids[text])
            mask[row, :len(ids[text])] = 1
        hidden = forward(input_ids=padded, attention_mask=mask).last_hidden_state
        means = (hidden * mask.unsqueeze(-1)).sum(1) / mask.sum(1, keepdim=True)
        for row, text in enumerate(chosen):
            embeddings[text] = means[row]
    return embeddings


def prepare_operation(spec):
    """Returns a function without arguments that runs the operation once."""
    kind = spec["operation"]
    if kind == "matMul":
        batch, m, k, n = (spec[name] for name in ("batch", "m", "k", "n"))
        lead = (batch,) if batch > 1 else ()
        a = torch.randn(*lead, k, m).mT if spec["transposeA"] else torch.randn(*lead, m, k)
        b = torch.randn(*lead, n, k).mT if spec["transposeB"] else torch.randn(*lead, k, n)
        return lambda: a @ b
    columns = spec["columns"]
    if kind == "adamW":
        weight = nn.Parameter(torch.rand(spec["rows"], columns))
        weight.grad = torch.rand_like(weight)
        return torch.optim.AdamW([weight], lr=1e-5, weight_decay=0.01, fused=True).step
    if kind in ("gather", "scatter"):
        rows = torch.randint(0, spec["table"], (spec["rows"],))
        if kind == "gather":
            table = torch.randn(spec["table"], columns)
            return lambda: F.embedding(rows, table)
        x = torch.randn(spec["rows"], columns)
        return lambda: torch.zeros(spec["table"], columns).index_add_(0, rows, x)
    x = torch.randn(spec["rows"], columns)
    if kind == "layerNorm":
        gain, bias = torch.randn(columns), torch.randn(columns)
        return lambda: F.layer_norm(x, (columns,), gain, bias, 1e-12)
    return {
        "softmax": lambda: F.softmax(x, -1),
        "gelu": lambda: F.gelu(x),
        "dropout": lambda: F.dropout(x, 0.1, training=True),
    }[kind]


def measure_operations(work, precision, _compiled):
    """Measures each operation separately."""
    found = []
    for spec in work["operations"]:
        run = prepare_operation(spec)
        times = []
        for _ in range(work["runs"] + 2):
            start = time.perf_counter()
            with torch.no_grad(), autocast(precision):
                run()
            times.append((time.perf_counter() - start) * 1e3)
        times = times[2:]
        speed = spec["work"] / statistics.median(times) / 1e6
        found.append(measurement(times, spec["label"], **{spec["unit"]: speed}))
    return found


def measurement(times, label="", **details):
    return {"label": label, "timesMs": times, "details": details}


MEASURES = {"step": measure_steps, "encode": measure_encoding, "operations": measure_operations}


def main():
    job = json.load(sys.stdin)
    computation = job["computation"]
    torch.set_num_threads(computation["threads"])
    torch.manual_seed(1)
    work = job["work"]
    measurements = MEASURES[work["kind"]](work, computation["precision"], sys.argv[1] == "compiled")
    print(json.dumps({
        "executor": "torch", "version": torch.__version__, "peakMiB": peak_mib(), "measurements": measurements,
    }))


if __name__ == "__main__":
    main()
