# 200 steps of a GPT of 4 layers by PyTorch, with each optimizer and with parameter groups; PyTorch >= 2.5, for Adafactor:
#   python3 training-optimizers.py ../data/training/gpt.json.gz
import base64, gzip, json, math, re, sys, torch
from torch import nn
from torch.nn.functional import cross_entropy, gelu, scaled_dot_product_attention

torch.set_num_threads(1)
torch.manual_seed(31)
torch.set_default_dtype(torch.float64)
sizes = {"vocabSize": 29, "embedDim": 24, "hiddenDim": 48, "numLayers": 4, "numHeads": 3, "contextLength": 16}
V, C, F, L, H, T = sizes.values()
steps, batch_size = 200, 4
text = [(i * i + (i >> 3)) % V for i in range(2000)]
starts = torch.randint(len(text) - T, (steps, batch_size)).tolist()


# Modules have the names of our params, so that those of the state are paths.
class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.query, self.key, self.value, self.output = (nn.Linear(C, C) for _ in range(4))

    def forward(self, x):
        q, k, v = (m(x).unflatten(-1, (H, C // H)).transpose(1, 2) for m in (self.query, self.key, self.value))
        return self.output(scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2))


class FeedForward(nn.Module):
    def __init__(self):
        super().__init__()
        self.up, self.down = nn.Linear(C, F), nn.Linear(F, C)

    def forward(self, x):
        return self.down(gelu(self.up(x), approximate="tanh"))


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.attentionNorm, self.attention = nn.LayerNorm(C), Attention()
        self.feedForwardNorm, self.feedForward = nn.LayerNorm(C), FeedForward()

    def forward(self, x):
        x = x + self.attention(self.attentionNorm(x))
        return x + self.feedForward(self.feedForwardNorm(x))


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.positions = nn.Embedding(V, C), nn.Embedding(T, C)
        self.layers, self.norm = nn.ModuleList(Layer() for _ in range(L)), nn.LayerNorm(C)
        for table in (self.embedding, self.positions):
            nn.init.normal_(table.weight, std=0.05)

    def forward(self, ids):
        x = self.embedding(ids) + self.positions.weight[: ids.shape[1]]
        for layer in self.layers:
            x = layer(x)
        return self.norm(x) @ self.embedding.weight.T


model = GPT()
# What is stored has 32 bits, and every run begins there.
initial = {name: weight.float().double() for name, weight in model.state_dict().items()}

kinds = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "adafactor": torch.optim.Adafactor,
}
decay = {"lr": 1e-3, "betas": [0.9, 0.95], "weight_decay": 0.1}
plain = {**decay, "weight_decay": 0}
# The first group whose expression finds a name has the param; the last one has all others.
runs = {
    "SGD with momentum": [{"kind": "sgd", "options": {"lr": 0.03, "momentum": 0.9, "weight_decay": 1e-3}}],
    "Adam": [{"kind": "adam", "options": {"lr": 1e-3, "betas": [0.9, 0.99], "weight_decay": 1e-3}}],
    "AdamW": [{"kind": "adamw", "options": {"lr": 1e-3, "weight_decay": 0.1}}],
    # The spacing of float32 at 1, whatever type computes: the default is that of the type.
    "Adafactor": [{"kind": "adafactor", "options": {"lr": 0.01, "eps": [2**-23, 1e-3], "weight_decay": 0.01}}],
    "AdamW without decay of norms, biases and tables": [
        {"params": r"([nN]orm\.weight|bias)$|^(embedding|positions)\.", "kind": "adamw", "options": plain},
        {"params": "", "kind": "adamw", "options": decay},
    ],
    "AdamW with rates by layer, and SGD for norms, under a cosine schedule": [
        {"params": r"[nN]orm\.", "kind": "sgd", "options": {"lr": 0.02, "momentum": 0.9}},
        {"params": r"^(embedding|positions)\.", "kind": "adamw", "options": {**plain, "lr": 1e-3 * 0.8**L}},
        *(
            {"params": rf"^layers\.{i}\.", "kind": "adamw", "options": {**decay, "lr": 1e-3 * 0.8 ** (L - 1 - i)}}
            for i in range(L)
        ),
    ],
}
cosine = {"warmup": 20, "steps": steps, "least": 0.1}


def factor(step):
    """Linear warmup from a step's share of it, then half a cosine down to the least part of the rate."""
    if step < cosine["warmup"]:
        return (step + 1) / cosine["warmup"]
    done = (step - cosine["warmup"]) / (steps - cosine["warmup"])
    return cosine["least"] + (1 - cosine["least"]) * (1 + math.cos(math.pi * done)) / 2


def losses(groups, scheduled):
    model.load_state_dict(initial)
    left = dict(model.named_parameters())
    optimizers = []
    for group in groups:
        own = [left.pop(name) for name in list(left) if re.search(group.get("params", ""), name)]
        optimizers.append(kinds[group["kind"]](own, **group["options"]))
    assert not left
    schedules = [torch.optim.lr_scheduler.LambdaLR(one, factor) for one in optimizers] if scheduled else []
    found = []
    for rows in starts:
        windows = torch.tensor([text[start : start + T + 1] for start in rows])
        loss = cross_entropy(model(windows[:, :-1]).flatten(0, 1), windows[:, 1:].flatten())
        for one in optimizers:
            one.zero_grad()
        loss.backward()
        for one in (*optimizers, *schedules):
            one.step()
        found.append(round(loss.item(), 7))
    return found


def stored(name, weight):
    data = base64.b64encode(weight.float().numpy().tobytes()).decode()
    return {"name": name, "dtype": "float32", "shape": list(weight.shape), "data": data}


found = {
    "madeBy": f"PyTorch {torch.__version__}, training-optimizers.py, in float64",
    "config": sizes,
    "text": text,
    "starts": starts,
    "weights": [stored(name, weight) for name, weight in initial.items()],
    "cosine": cosine,
    "cases": [
        {
            "name": name,
            "groups": groups,
            "scheduled": "schedule" in name,
            "losses": losses(groups, "schedule" in name),
        }
        for name, groups in runs.items()
    ],
}
with open(sys.argv[1], "wb") as file:
    file.write(gzip.compress(json.dumps(found).encode(), 9, mtime=0))
for one in found["cases"]:
    print(one["name"], one["losses"][0], one["losses"][-1])
