# The losses of the runs that training-runs.mjs describes, by PyTorch in float64:
#   node training-runs.mjs | python3 training-losses.py > training-losses.json
import json, sys, torch
from torch.nn.functional import cross_entropy, embedding, gelu, layer_norm, linear, rms_norm, scaled_dot_product_attention, silu

given = json.load(sys.stdin)
settings = given["settings"]


def turned(x, base=10000.0):
    T, D = x.shape[-2:]
    angles = torch.arange(T, dtype=x.dtype)[:, None] * base ** (-torch.arange(0, D, 2, dtype=x.dtype) / D)
    first, second = x.chunk(2, -1)
    return torch.cat([first * angles.cos() - second * angles.sin(), second * angles.cos() + first * angles.sin()], -1)


def logits(c, p, ids):
    B, T = ids.shape
    C, eps = c["embedDim"], c["normEps"]
    learned = c.get("positions") == "learned"

    def norm(x, name):
        if c.get("norm") == "layer":
            return layer_norm(x, (C,), p[name + ".weight"], p[name + ".bias"], eps)
        return rms_norm(x, (C,), p[name + ".weight"], eps)

    def mapped(x, name):
        return linear(x, p[name + ".weight"], p.get(name + ".bias"))

    x = embedding(ids, p["embedding.weight"])
    if learned:
        x = x + p["positions.weight"][:T]
    for i in range(c["numLayers"]):
        layer = f"layers.{i}."
        h = norm(x, layer + "attentionNorm")
        heads = lambda name, count: mapped(h, f"{layer}attention.{name}").view(B, T, count, -1).transpose(1, 2)
        q, k, v = heads("query", c["numHeads"]), heads("key", c["numKvHeads"]), heads("value", c["numKvHeads"])
        if not learned:
            q, k = turned(q), turned(k)
        mixed = scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        x = x + mapped(mixed.transpose(1, 2).reshape(B, T, C), layer + "attention.output")
        h = norm(x, layer + "feedForwardNorm")
        if c.get("gated", True):
            inner = silu(mapped(h, layer + "feedForward.gate")) * mapped(h, layer + "feedForward.up")
        else:
            inner = gelu(mapped(h, layer + "feedForward.up"), approximate="tanh")
        x = x + mapped(inner, layer + "feedForward.down")
    return linear(norm(x, "norm"), p["embedding.weight"])


def losses(config, weights):
    p = {name: torch.tensor(values, dtype=torch.float64, requires_grad=True) for name, values in weights.items()}
    optimizer = torch.optim.AdamW(p.values(), lr=settings["learningRate"], weight_decay=settings["weightDecay"])
    found = []
    for ids, targets in given["batches"]:
        out = logits(config, p, torch.tensor(ids))
        loss = cross_entropy(out.flatten(0, 1), torch.tensor(targets).flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(p.values(), settings["maxNorm"])
        optimizer.step()
        found.append(round(loss.item(), 7))
    return found


runs = {
    name: {"config": run["config"], "losses": losses(run["config"], run["weights"])}
    for name, run in given["runs"].items()
}
about = {"madeBy": f"PyTorch {torch.__version__}, training-losses.py", "settings": settings, "text": given["text"]}
print(json.dumps({**about, "runs": runs}))
