"""Creates test/fixtures/bert_parity: results of PyTorch and transformers for a tiny multi-task BERT.

    pip install torch==2.13.0 transformers==4.57.1 safetensors
    python test/parity/bert_parity.py

Files:
- config.json and model.safetensors, written by BertModel.save_pretrained
- heads.safetensors: the projection and the heads
- inputs.json: ids, mask and labels
- expected.safetensors: hidden states, embeddings, logits, losses and gradients; its metadata contains the versions

Cases are named <pooling>.<normalize>.<projected|plain>.
"""
import json
import pathlib
import torch
import transformers
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F
from transformers import BertConfig, BertModel

FOLDER = pathlib.Path(__file__).parent.parent / "fixtures" / "bert_parity"
HIDDEN, EMBEDDING, TOPICS, TAGS = 32, 12, 4, 5
LENGTHS = [7, 4, 1, 5]  # real tokens of each row
# Prefixes of the parameters whose gradients are recorded for each case. All gradients are recorded only once, which
# keeps the file small.
RECORDED = ("projection", "pooler.dense.bias", "embeddings.LayerNorm", "encoder.layer.1.output.LayerNorm", "heads.projected.norm")


class Head(nn.Module):
    """Dense, layer norm, GELU, dense; without dropout."""

    def __init__(self, size, labels):
        super().__init__()
        self.dense, self.norm, self.out = nn.Linear(size, HIDDEN), nn.LayerNorm(HIDDEN), nn.Linear(HIDDEN, labels)

    def forward(self, x):
        return self.out(F.gelu(self.norm(self.dense(x))))


def randomize(module):
    """Sets weights large enough for attention, norms and biases to matter."""
    for name, p in module.named_parameters():
        gain = "norm" in name.lower() and name.endswith("weight")
        nn.init.normal_(p, mean=1.0 if gain else 0.0, std=0.2)


def pool(out, mask, mode):
    hidden, real = out.last_hidden_state, mask.unsqueeze(-1)
    if mode == "mean":
        return (hidden * real).sum(1) / real.sum(1)
    if mode == "max":
        return hidden.masked_fill(real == 0, float("-inf")).max(1).values
    if mode == "cls":
        return out.pooler_output
    if mode == "cls-token":
        return hidden[:, 0]
    raise ValueError(f"unknown pooling mode {mode}")


def main():
    torch.manual_seed(13)
    torch.set_num_threads(1)
    config = BertConfig(
        vocab_size=60, hidden_size=HIDDEN, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
        max_position_embeddings=16, attn_implementation="eager", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )
    encoder = BertModel(config).eval()
    parts = {
        "projection.dense": nn.Linear(HIDDEN, EMBEDDING),
        "heads.plain": Head(HIDDEN, TOPICS),
        "heads.projected": Head(EMBEDDING, TOPICS),
        "heads.tags": Head(HIDDEN, TAGS),
    }
    for module in [encoder, *parts.values()]:
        randomize(module)
    named = {f"encoder {n}": p for n, p in encoder.named_parameters()}
    for prefix, module in parts.items():
        named.update({f"{prefix}.{n}": p for n, p in module.named_parameters()})
    named = {n.removeprefix("encoder "): p for n, p in named.items()}

    length = max(LENGTHS)
    mask = torch.tensor([[int(t < n) for t in range(length)] for n in LENGTHS])
    ids = torch.randint(1, 60, (len(LENGTHS), length)) * mask
    topics = torch.tensor([2, 0, 3, 1])
    tags = torch.where(mask == 1, torch.randint(0, TAGS, mask.shape), -1)
    tags[:, 0] = -1  # [CLS] has no tag
    tags[0, 3] = -1  # nor has the second token of a word
    expected = {}

    def gradients(loss, keep):
        for p in named.values():
            p.grad = None
        loss.backward()
        return {n: p.grad.clone() for n, p in named.items() if p.grad is not None and keep(n, p)}

    out = encoder(input_ids=ids, attention_mask=mask)
    expected["hidden"] = out.last_hidden_state
    for mode in ["mean", "cls", "cls-token", "max"]:
        for norm in ["none", "l1", "l2"]:
            for head in ["plain", "projected"]:
                out = encoder(input_ids=ids, attention_mask=mask)
                x = pool(out, mask, mode)
                if head == "projected":
                    x = parts["projection.dense"](x)
                if norm != "none":
                    x = F.normalize(x, p=1 if norm == "l1" else 2, dim=-1)
                logits = parts[f"heads.{head}"](x)
                loss = F.cross_entropy(logits, topics)
                case = f"{mode}.{norm}.{head}"
                expected |= {f"{case}.embedding": x, f"{case}.logits": logits, f"{case}.loss": loss}
                if head == "projected":
                    found = gradients(loss, lambda n, _: n.startswith(RECORDED))
                    expected |= {f"{case}.gradient.{n}": g for n, g in found.items()}

    # a loss that depends on everything: pooler, projection and both kinds of head
    out = encoder(input_ids=ids, attention_mask=mask)
    x = F.normalize(parts["projection.dense"](pool(out, mask, "cls")), p=1, dim=-1)
    topic_loss = F.cross_entropy(parts["heads.projected"](x), topics)
    tag_logits = parts["heads.tags"](out.last_hidden_state)
    tag_loss = F.cross_entropy(tag_logits.reshape(-1, TAGS), tags.reshape(-1), ignore_index=-1)
    expected |= {"tags.logits": tag_logits.reshape(-1, TAGS), "tags.loss": tag_loss}
    expected |= {f"both.gradient.{n}": g for n, g in gradients(topic_loss + tag_loss, lambda *_: True).items()}

    FOLDER.mkdir(parents=True, exist_ok=True)
    encoder.save_pretrained(FOLDER)
    save_file(
        {n: p.detach().contiguous() for n, p in named.items() if n.startswith(("heads.", "projection."))},
        FOLDER / "heads.safetensors",
    )
    save_file(
        {n: t.detach().contiguous() for n, t in expected.items()},
        FOLDER / "expected.safetensors",
        metadata={"torch": torch.__version__, "transformers": transformers.__version__},
    )
    inputs = dict(ids=ids.tolist(), mask=mask.tolist(), topics=topics.tolist(), tags=tags.tolist())
    (FOLDER / "inputs.json").write_text(json.dumps(inputs) + "\n")


if __name__ == "__main__":
    main()
