# Tiny models in the layout of Hugging Face, for architectures and heads that hf/ has none of: random weights, their files, and
# numbers that plain PyTorch computes of them in float64, from papers and published descriptions.
import base64, gzip, json, math, struct, zlib
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)
data = Path(__file__).resolve().parents[2] / "data" / "hf-more"


class Weights:
    """Weights of a checkpoint. Code that computes names each of them where it reads it: the first reading draws it."""

    def __init__(self, name):
        self.seed = zlib.crc32(name.encode())
        self.random = torch.Generator().manual_seed(self.seed)
        self.tensors = {}

    def __call__(self, name, *shape, size=0.5, around=0.0):
        if name not in self.tensors:
            drawn = around + size * torch.randn(shape, generator=self.random)
            # Multiples of 1/8 keep the files small.
            self.tensors[name] = (drawn * 8).round() / 8
        assert self.tensors[name].shape == shape, name
        return self.tensors[name]

    def ids(self, *shape, vocabulary, first=4):
        return torch.randint(first, vocabulary, shape, generator=self.random)

    def pixels(self, *shape):
        return (torch.randn(shape, generator=self.random) * 32).round() / 32


def linear(w, name, x, out, bias=True):
    matrix = w(f"{name}.weight", out, x.shape[-1], size=x.shape[-1] ** -0.5)
    return F.linear(x, matrix, w(f"{name}.bias", out, size=0.25) if bias else None)


def layer_norm(w, name, x, eps):
    C = x.shape[-1]
    return F.layer_norm(x, (C,), w(f"{name}.weight", C, size=0.25, around=1), w(f"{name}.bias", C, size=0.25), eps)


def rms_norm(w, name, x, eps):
    return x * (x.pow(2).mean(-1, keepdim=True) + eps).rsqrt() * w(f"{name}.weight", x.shape[-1], size=0.25, around=1)


def split(x, heads):
    B, T, C = x.shape
    return x.view(B, T, heads, C // heads).transpose(1, 2)


def attend(q, k, v, heads, scale=None, bias=0.0, hidden=None):
    """softmax(scale · q kᵀ + bias) v of rows [B, T, C]; `hidden` is true where a query does not see a key."""
    q, k, v = split(q, heads), split(k, heads), split(v, heads)
    scores = q @ k.transpose(-1, -2) * (q.shape[-1] ** -0.5 if scale is None else scale) + bias
    return join(weights_of(scores, hidden) @ v)


def weights_of(scores, hidden):
    return (scores if hidden is None else scores.masked_fill(hidden, -math.inf)).softmax(-1)


def join(heads):
    return heads.transpose(1, 2).flatten(2)


def causal(T):
    return torch.ones(T, T, dtype=torch.bool).triu(1)


activations = {
    "gelu": F.gelu,
    "gelu_new": lambda x: F.gelu(x, approximate="tanh"),
    "gelu_pytorch_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "quick_gelu": lambda x: x * torch.sigmoid(1.702 * x),
    "relu": F.relu,
    "silu": F.silu,
    "tanh": torch.tanh,
}


def padded(lengths, longest):
    """1 for tokens and 0 for the padding behind them, [B, longest]."""
    return (torch.arange(longest)[None] < torch.tensor(lengths)[:, None]).long()


def greedy(step, start, count, first=None, last=None):
    """The likeliest token, again and again, or those that are forced; `step` makes logits [T, V] of the ids so far."""
    ids, margin = list(start), math.inf
    forced = {0: first, count - 1: last}
    for i in range(count):
        logits = step(ids)[-1]
        if forced.get(i) is None:
            best, second = logits.topk(2)[0].tolist()
            margin = min(margin, best - second)
        ids.append(int(logits.argmax()) if forced.get(i) is None else forced[i])
    assert margin > 1e-3, margin
    return ids[len(start) :], margin


def tensor_json(name, x):
    dtype, array = ("int64", x.to(torch.int64)) if not x.is_floating_point() else ("float32", x.to(torch.float32))
    content = base64.b64encode(array.contiguous().numpy().tobytes()).decode()
    return {"name": name, "dtype": dtype, "shape": list(x.shape), "data": content}


def case(name, inputs, outputs):
    as_list = lambda tensors: [tensor_json(key, x) for key, x in tensors.items()]
    return {"name": name, "inputs": as_list(inputs), "outputs": as_list(outputs)}


def save(name, w, config, cases, greedy_texts=None):
    """Writes config.json, the weights and refs.json."""
    folder = data / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(dict(sorted(config.items())), indent=0) + "\n")
    refs = {
        "model_type": config["model_type"],
        "architecture": config["architectures"][0],
        "made_by": f"conformance/references/hf-more, PyTorch {torch.__version__.split('+')[0]}",
        "weights": f"random, seed {w.seed}",
        "computed_in": "float64",
        "cases": cases,
    }
    if greedy_texts:
        refs["greedy"] = greedy_texts
    write_gzip(folder / "refs.json.gz", json.dumps(refs).encode())
    write_gzip(folder / "model.safetensors.gz", safetensors(w.tensors))
    size = sum(file.stat().st_size for file in folder.iterdir())
    print(f"{name}: {sum(x.numel() for x in w.tensors.values())} parameters, {size} bytes")


def safetensors(tensors):
    header, parts, at = {"__metadata__": {"format": "pt"}}, [], 0
    for name in sorted(tensors):
        content = tensors[name].to(torch.float32).contiguous().numpy().tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensors[name].shape), "data_offsets": [at, at + len(content)]}
        parts.append(content)
        at += len(content)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(parts)


def write_gzip(path, content):
    path.write_bytes(gzip.compress(content, 9, mtime=0))
