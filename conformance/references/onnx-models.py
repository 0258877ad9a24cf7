# Small models by PyTorch's own exporter (TorchScript), in the ways that published models compute attention, with inputs,
# outputs and attention weights by PyTorch:
#   python3 onnx-models.py ../data/onnx-models
import base64, gzip, json, math, os, sys, warnings
import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention, softmax

warnings.filterwarnings("ignore")
torch.backends.mha.set_fastpath_enabled(False)  # an operator that no exporter knows
try:
    import onnx  # noqa: F401
except ImportError:
    # Without it the exporter still writes a model: it is asked for functions of onnxscript alone, and there are none here.
    from torch.onnx._internal import onnx_proto_utils

    onnx_proto_utils._add_onnxscript_fn = lambda model_bytes, custom_opsets: model_bytes

B, T, C, H, D = 2, 6, 32, 4, 8
maps = []  # of the call that is recorded: what weights are computed from, and the weights


def record(weights, query, key, scale, mask=None, bias=None, softcap=None):
    if torch.onnx.is_in_onnx_export():
        return
    parts = {"query": query, "key": key, "weights": weights, "mask": mask, "bias": bias}
    parts = {name: x for name, x in parts.items() if x is not None}
    maps.append({"scale": scale, "softcap": softcap, **{name: named(name, x) for name, x in parts.items()}})


def split(x, heads):
    return x.view(x.shape[0], x.shape[1], heads, -1).transpose(1, 2)


def join(x):
    return x.transpose(1, 2).reshape(x.shape[0], x.shape[2], -1)


def tril(length):
    return torch.ones(length, length, dtype=torch.bool).tril()


def composed(q, k, scale, mask=None, bias=None, softcap=None):
    scores = q @ k.transpose(-2, -1) * scale
    if softcap:
        scores = torch.tanh(scores / softcap) * softcap
    if bias is not None:
        scores = scores + bias
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    return softmax(scores, -1)


class Projections(nn.Module):
    def __init__(self, kv_heads=H, bias=True):
        super().__init__()
        self.kv_heads = kv_heads
        self.q, self.o = nn.Linear(C, C, bias=bias), nn.Linear(C, C, bias=bias)
        self.k, self.v = nn.Linear(C, kv_heads * D, bias=bias), nn.Linear(C, kv_heads * D, bias=bias)
        self.norm = nn.LayerNorm(C)

    def heads(self, x, y=None):
        y = x if y is None else y
        return split(self.q(x), H), split(self.k(y), self.kv_heads), split(self.v(y), self.kv_heads)


class Bert(Projections):
    """Scores divided, the padding of a text added as a large negative number."""

    def forward(self, x, attention_mask):
        q, k, v = self.heads(x)
        added = (1.0 - attention_mask[:, None, None, :].float()) * torch.finfo(torch.float32).min
        weights = softmax(q @ k.transpose(-1, -2) / math.sqrt(D) + added, dim=-1)
        record(weights, q, k, D**-0.5, mask=attention_mask[:, None, None, :].bool())
        return self.norm(x + self.o(join(weights @ v)))


class Gpt2(Projections):
    """One matrix for queries, keys and values; scores chosen by a buffer of the causal mask."""

    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(C, 3 * C)
        self.register_buffer("seen", tril(32)[None, None])

    def forward(self, x):
        q, k, v = (split(part, H) for part in self.qkv(x).split(C, dim=2))
        scores = q @ k.transpose(-1, -2) / torch.full([], D**0.5)
        length = x.shape[1]
        mask = self.seen[:, :, :length, :length]
        scores = torch.where(mask, scores, torch.full([], torch.finfo(torch.float32).min))
        weights = softmax(scores, dim=-1)
        record(weights, q, k, D**-0.5, mask=mask)
        return x + self.o(join(weights @ v))


class Sdpa(Projections):
    def forward(self, x):
        q, k, v = self.heads(x)
        record(composed(q, k, D**-0.5, tril(x.shape[1])), q, k, D**-0.5, mask=tril(x.shape[1])[None, None])
        return x + self.o(join(scaled_dot_product_attention(q, k, v, is_causal=True)))


class SdpaMask(Projections):
    """A bool mask of a text with padding."""

    def forward(self, x, attention_mask):
        q, k, v = self.heads(x)
        mask = attention_mask[:, None, None, :].bool()
        record(composed(q, k, D**-0.5, mask), q, k, D**-0.5, mask=mask)
        return x + self.o(join(scaled_dot_product_attention(q, k, v, attn_mask=mask)))


def rotary(x):
    length, half = x.shape[-2], x.shape[-1] // 2
    angles = torch.arange(length).float()[:, None] * 10000.0 ** (-torch.arange(half).float() / half)
    cos, sin = torch.cat([angles.cos()] * 2, -1), torch.cat([angles.sin()] * 2, -1)
    return x * cos + torch.cat([-x[..., half:], x[..., :half]], -1) * sin


class Llama(Projections):
    """Rotary embeddings, RMS norm, keys repeated for groups of query heads, softmax in float32 and a cast."""

    def __init__(self):
        super().__init__(kv_heads=2, bias=False)
        self.gain = nn.Parameter(torch.ones(C))

    def forward(self, x):
        normed = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * self.gain
        q, k, v = self.heads(normed)
        q, k = rotary(q), rotary(k)
        wide = lambda y: y[:, :, None].expand(-1, -1, H // 2, -1, -1).reshape(y.shape[0], H, y.shape[2], D)
        length = x.shape[1]
        added = torch.full((length, length), torch.finfo(torch.float32).min).triu(1)
        scores = q @ wide(k).transpose(2, 3) * D**-0.5 + added
        weights = softmax(scores, dim=-1, dtype=torch.float32).to(q.dtype)
        record(weights, q, k, D**-0.5, mask=tril(length)[None, None])
        return x + self.o(join(weights @ wide(v)))


class Gemma2(Projections):
    """Scores capped by tanh, with a window."""

    def forward(self, x):
        q, k, v = self.heads(x)
        length = x.shape[1]
        mask = tril(length) & ~tril(length).tril(-3)
        scores = torch.tanh(q @ k.transpose(2, 3) * 0.3 / 2.0) * 2.0
        weights = softmax(scores + torch.where(mask, 0.0, -1e9), dim=-1)
        record(weights, q, k, 0.3, mask=mask[None, None], softcap=2.0)
        return x + self.o(join(weights @ v))


class Opt(Projections):
    """Batch and heads as one axis, products by bmm, the scale on queries."""

    def forward(self, x):
        q, k, v = self.heads(x)
        flat = lambda y: y.reshape(-1, y.shape[2], D)
        scores = torch.bmm(flat(q * D**-0.5), flat(k).transpose(1, 2))
        length = x.shape[1]
        scores = scores.view(-1, H, length, length) + torch.full((length, length), -1e9).triu(1)
        weights = softmax(scores.view(-1, length, length), dim=-1)
        record(weights.view(-1, H, length, length), q, k, D**-0.5, mask=tril(length)[None, None])
        return x + self.o(join(torch.bmm(weights, flat(v)).view(-1, H, length, D)))


class Einsum(Projections):
    def forward(self, x):
        q, k, v = self.heads(x)
        weights = (torch.einsum("bhqd,bhkd->bhqk", q, k) * D**-0.5).softmax(dim=-1)
        record(weights, q, k, D**-0.5)
        return x + self.o(torch.einsum("bhqk,bhkd->bqhd", weights, v).flatten(2))


class T5(Projections):
    """No scale, a bias of relative positions."""

    def __init__(self):
        super().__init__(bias=False)
        self.relative = nn.Embedding(32, H)

    def forward(self, x):
        q, k, v = self.heads(x)
        places = torch.arange(x.shape[1])
        distance = (places[None] - places[:, None]).clamp(-15, 15) + 16
        bias = self.relative(distance).permute(2, 0, 1)[None]
        weights = softmax(q @ k.transpose(3, 2) + bias, dim=-1)
        record(weights, q, k, 1.0, bias=bias)
        return x + self.o(join(weights @ v))


class Cross(Projections):
    """Attention to another text, with keys of a past."""

    def forward(self, x, other, past_key, past_value):
        q, k, v = self.heads(x, other)
        k, v = torch.cat([past_key, k], 2), torch.cat([past_value, v], 2)
        weights = softmax(q @ k.transpose(2, 3) * D**-0.5, dim=-1)
        record(weights, q, k, D**-0.5)
        return x + self.o(join(weights @ v)), k, v


class MultiheadAttention(nn.Module):
    """nn.MultiheadAttention, without its weights as an output."""

    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(C, H, batch_first=True)

    def forward(self, x):
        if not torch.onnx.is_in_onnx_export():
            q, k, _ = (split(part, H) for part in nn.functional.linear(
                x, self.attention.in_proj_weight, self.attention.in_proj_bias).split(C, dim=2))
            record(composed(q, k, D**-0.5), q, k, D**-0.5)
        return self.attention(x, x, x, need_weights=False)[0]


class EncoderLayers(nn.Module):
    """Two layers of nn.TransformerEncoder."""

    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(C, H, 48, dropout=0.1, batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)

    def forward(self, x):
        if not torch.onnx.is_in_onnx_export():
            y = x
            for layer in self.layers.layers:
                own, z = layer.self_attn, layer.norm1(y)
                q, k, _ = (split(part, H) for part in nn.functional.linear(
                    z, own.in_proj_weight, own.in_proj_bias).split(C, dim=2))
                record(composed(q, k, D**-0.5), q, k, D**-0.5)
                y = layer(y)
        return self.layers(x)


dtypes = {torch.float32: "float32", torch.int64: "int64", torch.bool: "bool"}


def named(name, x):
    x = x.detach().contiguous()
    data = base64.b64encode(x.numpy().tobytes()).decode()
    return {"name": name, "dtype": dtypes[x.dtype], "shape": list(x.shape), "data": data}


def rows(*shape):
    return torch.randn(*shape)


torch.manual_seed(100)
padded = torch.tensor([[1] * T, [1] * 4 + [0] * (T - 4)])
models = {
    "bert": (Bert, {"x": rows(B, T, C), "attention_mask": padded}),
    "gpt2": (Gpt2, {"x": rows(B, T, C)}),
    "sdpa-causal": (Sdpa, {"x": rows(B, T, C)}),
    "sdpa-mask": (SdpaMask, {"x": rows(B, T, C), "attention_mask": padded}),
    "llama": (Llama, {"x": rows(B, T, C)}),
    "gemma2": (Gemma2, {"x": rows(B, T, C)}),
    "opt": (Opt, {"x": rows(B, T, C)}),
    "einsum": (Einsum, {"x": rows(B, T, C)}),
    "t5": (T5, {"x": rows(B, T, C)}),
    "cross": (Cross, {"x": rows(B, T, C), "other": rows(B, 5, C),
                      "past_key": rows(B, H, 3, D), "past_value": rows(B, H, 3, D)}),
    "multihead-attention": (MultiheadAttention, {"x": rows(B, T, C)}),
    "encoder-layers": (EncoderLayers, {"x": rows(B, T, C)}),
}
out = sys.argv[1]
os.makedirs(out, exist_ok=True)
cases = []
for seed, (name, (make, inputs)) in enumerate(models.items()):
    torch.manual_seed(seed)
    model = make().eval()
    with torch.no_grad():
        for x in model.parameters():
            x.mul_(2)
        maps.clear()
        results = model(*inputs.values())
        results = results if isinstance(results, tuple) else (results,)
        outputs = ["output", "present_key", "present_value"][: len(results)]
        torch.onnx.export(
            model, tuple(inputs.values()), os.path.join(out, name + ".onnx"), dynamo=False, opset_version=17,
            input_names=list(inputs), output_names=outputs,
            dynamic_axes={key: {0: "batch"} for key in [*inputs, *outputs]},
        )
    cases.append({
        "name": name,
        "inputs": [named(key, x) for key, x in inputs.items()],
        "outputs": [named(key, x) for key, x in zip(outputs, results)],
        "maps": list(maps),
    })
text = json.dumps({"made_by": f"PyTorch {torch.__version__}", "cases": cases})
with gzip.GzipFile(os.path.join(out, "cases.json.gz"), "wb", mtime=0) as file:
    file.write(text.encode())
