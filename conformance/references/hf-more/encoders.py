# Encoders: /usr/bin/python3 conformance/references/hf-more/encoders.py [NAME …]
import math, sys

import torch

from tiny import *

V, C, FF, H, layers = 24, 12, 16, 2, 2
T, lengths = 5, [5, 3]
pad, mask_token = 1, 23
labels = ["negative", "neutral", "positive"]
label_fields = {
    "id2label": {str(i): label for i, label in enumerate(labels)},
    "label2id": {label: i for i, label in enumerate(labels)},
}


def sample(name, w, config, outputs, types=0, first=4, T=T, lengths=lengths):
    """A text, and two of which one is padded; `outputs(ids, types, real)` are tensors by name."""
    ids = w.ids(len(lengths), T, vocabulary=V - 1, first=first)
    kinds = w.ids(len(lengths), T, vocabulary=types, first=0) if types > 1 else None
    real = padded(lengths, T)
    inputs = lambda ids, more: {"input_ids": ids} | more | ({} if kinds is None else {"token_type_ids": kinds[: len(ids)]})
    whole = outputs(ids[:1], None if kinds is None else kinds[:1], torch.ones_like(ids[:1]))
    short = ids.masked_fill(real == 0, config["pad_token_id"])
    cases = [
        case("plain", inputs(ids[:1], {}), whole),
        case("right_padding", inputs(short, {"attention_mask": real}), outputs(short, kinds, real)),
    ]
    save(name, w, config, cases)


def scored(logits):
    return {"logits": logits, "scores": logits.softmax(-1)}


bert_config = {
    "attention_probs_dropout_prob": 0.1,
    "bos_token_id": 0,
    "eos_token_id": 2,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "hidden_size": C,
    "initializer_range": 0.02,
    "intermediate_size": FF,
    "layer_norm_eps": 1e-05,
    "max_position_embeddings": 12,
    "num_attention_heads": H,
    "num_hidden_layers": layers,
    "pad_token_id": pad,
    "position_embedding_type": "absolute",
    "torch_dtype": "float32",
    "transformers_version": "4.49.0",
    "type_vocab_size": 1,
    "use_cache": True,
    "vocab_size": V,
}


class Bert:
    """BERT's embeddings and layers, arXiv:1810.04805, with norms behind each part or before it."""

    def __init__(self, w, path, config, pre=None, first=pad + 1, embedding_norm=True):
        self.w, self.path, self.config, self.pre, self.first = w, path, config, pre, first
        self.embedding_norm = embedding_norm
        self.eps, self.act = config["layer_norm_eps"], activations[config["hidden_act"]]
        self.E = config.get("embedding_size", C)
        self.table = w(f"{path}embeddings.word_embeddings.weight", V, self.E)

    def norm(self, name, x):
        return layer_norm(self.w, self.path + name, x, self.eps)

    def linear(self, name, x, out=C):
        return linear(self.w, self.path + name, x, out)

    def embed(self, ids, kinds):
        w, path = self.w, self.path
        x = self.table[ids]
        positions = w(f"{path}embeddings.position_embeddings.weight", self.config["max_position_embeddings"], self.E)
        x = x + positions[self.first : self.first + ids.shape[1]]
        if self.config["type_vocab_size"] > 0:
            own = w(f"{path}embeddings.token_type_embeddings.weight", self.config["type_vocab_size"], self.E)
            x = x + own[torch.zeros_like(ids) if kinds is None else kinds]
        return self.norm("embeddings.LayerNorm", x) if self.embedding_norm else x

    def attention(self, layer, x, hidden):
        q, k, v = (self.linear(f"{layer}.attention.self.{part}", x) for part in ["query", "key", "value"])
        return self.linear(f"{layer}.attention.output.dense", attend(q, k, v, H, hidden=hidden))

    def feed(self, layer, x):
        return self.linear(f"{layer}.output.dense", self.act(self.linear(f"{layer}.intermediate.dense", x, FF)))

    def rows(self, ids, kinds, real):
        hidden = (real == 0)[:, None, None]
        x = self.embed(ids, kinds)
        for i in range(layers):
            layer = f"encoder.layer.{i}"
            if self.pre is None:
                x = self.norm(f"{layer}.attention.output.LayerNorm", x + self.attention(layer, x, hidden))
                x = self.norm(f"{layer}.output.LayerNorm", x + self.feed(layer, x))
            else:
                x = x + self.attention(layer, self.norm(f"{layer}.{self.pre['attention']}", x), hidden)
                x = x + self.feed(layer, self.norm(f"{layer}.{self.pre['feed']}", x))
        return x if self.pre is None else self.norm(self.pre["last"], x)


def masked_token_logits(w, x, table, dense="lm_head.dense", norm="lm_head.layer_norm", bias="lm_head.bias", act="gelu", eps=1e-5):
    bent = activations[act](linear(w, dense, x, table.shape[1]))
    return layer_norm(w, norm, bent, eps) @ table.T + w(bias, V, size=1.0)


def sequence_logits(w, x):
    return linear(w, "classifier.out_proj", torch.tanh(linear(w, "classifier.dense", x[:, 0], C)), len(labels))


# RoBERTa and its relatives: arXiv:1907.11692, arXiv:1911.03894 (CamemBERT), arXiv:2202.03555 (data2vec).


def camembert():
    w = Weights("camembert")
    config = bert_config | {"architectures": ["CamembertForMaskedLM"], "model_type": "camembert", "output_past": True}
    model = Bert(w, "roberta.", config)
    sample("camembert", w, config, lambda *given: {"logits": masked_token_logits(w, model.rows(*given), model.table)})


def data2vec_text():
    w = Weights("data2vec-text")
    own = {"architectures": ["Data2VecTextForSequenceClassification"], "model_type": "data2vec-text"}
    config = bert_config | label_fields | own
    model = Bert(w, "data2vec_text.", config)
    sample("data2vec-text", w, config, lambda *given: scored(sequence_logits(w, model.rows(*given))))


# With norms before each part: arXiv:2010.09373 (efficient RoBERTa), arXiv:2105.00572 (XLM-R XL).


def roberta_prelayernorm():
    w = Weights("roberta-prelayernorm")
    own = {"architectures": ["RobertaPreLayerNormForMaskedLM"], "model_type": "roberta-prelayernorm"}
    config = bert_config | own
    places = {"attention": "attention.LayerNorm", "feed": "intermediate.LayerNorm", "last": "LayerNorm"}
    model = Bert(w, "roberta_prelayernorm.", config, places)

    def outputs(*given):
        return {"logits": masked_token_logits(w, model.rows(*given), model.table)}

    sample("roberta-prelayernorm", w, config, outputs)


def xlm_roberta_xl():
    w = Weights("xlm-roberta-xl")
    own = {"architectures": ["XLMRobertaXLForMaskedLM"], "model_type": "xlm-roberta-xl"}
    config = bert_config | own
    places = {"attention": "attention.self_attn_layer_norm", "feed": "LayerNorm", "last": "encoder.LayerNorm"}
    model = Bert(w, "roberta.", config, places, embedding_norm=False)

    def outputs(*given):
        return {"logits": masked_token_logits(w, model.rows(*given), model.table)}

    sample("xlm-roberta-xl", w, config, outputs)


# Narrow embeddings, which a map widens: arXiv:1909.11942 (ALBERT, whose layers share their weights), arXiv:2003.10555 (ELECTRA, whose
# generator is the one that knows masked tokens).

narrow = {"embedding_size": 8, "layer_norm_eps": 1e-12, "pad_token_id": 0, "type_vocab_size": 2}


class Electra(Bert):
    def embed(self, ids, kinds):
        return self.linear("embeddings_project", super().embed(ids, kinds))


def electra_mlm():
    w = Weights("electra-mlm")
    own = {
        "architectures": ["ElectraForMaskedLM"],
        "model_type": "electra",
        "summary_activation": "gelu",
        "summary_last_dropout": 0.1,
        "summary_type": "first",
        "summary_use_proj": True,
    }
    config = bert_config | narrow | own
    model = Electra(w, "electra.", config, first=0)
    names = {"dense": "generator_predictions.dense", "norm": "generator_predictions.LayerNorm", "bias": "generator_lm_head.bias"}

    def outputs(*given):
        return {"logits": masked_token_logits(w, model.rows(*given), model.table, **names, eps=1e-12)}

    sample("electra-mlm", w, config, outputs, types=2)


class Albert(Bert):
    layer = "encoder.albert_layer_groups.0.albert_layers.0"

    def rows(self, ids, kinds, real):
        hidden = (real == 0)[:, None, None]
        x = self.linear("encoder.embedding_hidden_mapping_in", self.embed(ids, kinds))
        for _ in range(layers):
            q, k, v = (self.linear(f"{self.layer}.attention.{part}", x) for part in ["query", "key", "value"])
            mixed = self.linear(f"{self.layer}.attention.dense", attend(q, k, v, H, hidden=hidden))
            x = self.norm(f"{self.layer}.attention.LayerNorm", x + mixed)
            fed = self.linear(f"{self.layer}.ffn_output", self.act(self.linear(f"{self.layer}.ffn", x, FF)))
            x = self.norm(f"{self.layer}.full_layer_layer_norm", x + fed)
        return x


albert_config = bert_config | narrow | {
    "classifier_dropout_prob": 0.1,
    "down_scale_factor": 1,
    "gap_size": 0,
    "hidden_act": "gelu_new",
    "inner_group_num": 1,
    "model_type": "albert",
    "net_structure_type": 0,
    "num_hidden_groups": 1,
    "num_memory_blocks": 0,
}


def albert_mlm():
    w = Weights("albert-mlm")
    config = albert_config | {"architectures": ["AlbertForMaskedLM"]}
    model = Albert(w, "albert.", config, first=0)
    names = {"dense": "predictions.dense", "norm": "predictions.LayerNorm", "bias": "predictions.bias", "act": "gelu_new"}

    def outputs(*given):
        return {"logits": masked_token_logits(w, model.rows(*given), model.table, **names, eps=1e-12)}

    sample("albert-mlm", w, config, outputs, types=2)


def albert_sequence_classification():
    w = Weights("albert-sequence-classification")
    config = albert_config | label_fields | {"architectures": ["AlbertForSequenceClassification"]}
    model = Albert(w, "albert.", config, first=0)

    def outputs(*given):
        pooled = torch.tanh(linear(w, "albert.pooler", model.rows(*given)[:, 0], C))
        return scored(linear(w, "classifier", pooled, len(labels)))

    sample("albert-sequence-classification", w, config, outputs, types=2)


# Jina's BERT: arXiv:2310.19923. Scores lose by the distance, to both sides (ALiBi: arXiv:2108.12409); gated layers: arXiv:2002.05202.


class Jina(Bert):
    def embed(self, ids, kinds):
        own = self.w(f"{self.path}embeddings.token_type_embeddings.weight", self.config["type_vocab_size"], C)
        return self.norm("embeddings.LayerNorm", self.table[ids] + own[kinds])

    def rows(self, ids, kinds, real):
        hidden = (real == 0)[:, None, None]
        places = torch.arange(ids.shape[1])
        slopes = 2.0 ** (-8 / H * (torch.arange(H) + 1))
        bias = -slopes[:, None, None] * (places[:, None] - places).abs()
        x = self.embed(ids, kinds)
        for i in range(layers):
            layer = f"encoder.layer.{i}"
            q, k, v = (self.linear(f"{layer}.attention.self.{part}", x) for part in ["query", "key", "value"])
            mixed = self.linear(f"{layer}.attention.output.dense", attend(q, k, v, H, bias=bias, hidden=hidden))
            x = self.norm(f"{layer}.attention.output.LayerNorm", x + mixed)
            gate, up = linear(self.w, f"{self.path}{layer}.mlp.gated_layers", x, 2 * FF, bias=False).chunk(2, -1)
            x = self.norm(f"{layer}.mlp.layernorm", x + self.linear(f"{layer}.mlp.wo", F.gelu(gate) * up))
        return x


def jina_bert():
    w = Weights("jina-bert")
    own = {
        "architectures": ["JinaBertModel"],
        "auto_map": {"AutoModel": "modeling_bert.JinaBertModel"},
        "emb_pooler": "mean",
        "feed_forward_type": "geglu",
        "layer_norm_eps": 1e-12,
        "model_max_length": 12,
        "model_type": "bert",
        "pad_token_id": 0,
        "position_embedding_type": "alibi",
        "type_vocab_size": 2,
    }
    config = bert_config | own
    model = Jina(w, "", config)
    sample("jina-bert", w, config, lambda *given: {"last_hidden_state": model.rows(*given)}, types=2)


# ESM-2: doi:10.1126/science.ade2574. Rotary positions: arXiv:2104.09864. In training 0.15 · 0.8 of all tokens were masks, whose
# embeddings are 0; what is left is scaled so that sums stay as large.


def rotate(x):
    """Halves of each head rotate by their position, x [B, H, T, D]."""
    T, D = x.shape[-2:]
    angles = torch.arange(T)[:, None] * 10000.0 ** (-torch.arange(0, D, 2) / D)
    a, b = x.chunk(2, -1)
    return torch.cat([a * angles.cos() - b * angles.sin(), b * angles.cos() + a * angles.sin()], -1)


class Esm(Bert):
    def embed(self, ids, kinds):
        masks = ids == mask_token
        share = masks.sum(1) / (ids != pad).sum(1)
        return self.table[ids] * ~masks[..., None] * (1 - 0.15 * 0.8) / (1 - share)[:, None, None]

    def attention(self, layer, x, hidden):
        q, k, v = (split(self.linear(f"{layer}.attention.self.{part}", x), H) for part in ["query", "key", "value"])
        scores = rotate(q) @ rotate(k).transpose(-1, -2) * (C // H) ** -0.5
        return self.linear(f"{layer}.attention.output.dense", join(weights_of(scores, hidden) @ v))


def esm():
    w = Weights("esm")
    own = {
        "architectures": ["EsmForMaskedLM"],
        "classifier_dropout": None,
        "emb_layer_norm_before": False,
        "esmfold_config": None,
        "is_folding_model": False,
        "mask_token_id": mask_token,
        "model_type": "esm",
        "position_embedding_type": "rotary",
        "token_dropout": True,
        "vocab_list": None,
    }
    config = {name: value for name, value in (bert_config | own).items() if name not in ["type_vocab_size", "bos_token_id", "eos_token_id"]}
    places = {"attention": "attention.LayerNorm", "feed": "LayerNorm", "last": "encoder.emb_layer_norm_after"}
    model = Esm(w, "esm.", config, places)

    def outputs(ids, kinds, real):
        x = model.rows(ids, kinds, real)
        return {"logits": masked_token_logits(w, x, model.table), "hidden.0": model.embed(ids, kinds)[:1]}

    for i in range(layers):
        w(f"esm.encoder.layer.{i}.attention.self.rotary_embeddings.inv_freq", C // H // 2)
    w("esm.contact_head.regression.weight", 1, layers * H)
    w("esm.contact_head.regression.bias", 1)
    # Every third token is a mask.
    given = w.ids(len(lengths), T, vocabulary=V - 1)
    masked = torch.where(torch.arange(T) % 3 == 1, mask_token, given)
    real = padded(lengths, T)
    short = masked.masked_fill(real == 0, pad)
    whole = torch.ones_like(real)
    cases = [
        case("plain", {"input_ids": given[:1]}, outputs(given[:1], None, whole[:1])),
        case("masks", {"input_ids": masked[:1]}, outputs(masked[:1], None, whole[:1])),
        case("right_padding", {"input_ids": short, "attention_mask": real}, {"logits": outputs(short, None, real)["logits"]}),
    ]
    save("esm", w, config, cases)


# DeBERTa: disentangled attention, arXiv:2006.03654; buckets of distances and keys that positions share: arXiv:2111.09543.


def log_bucket(distance, buckets, farthest):
    """Of query minus key: exact up to half of the buckets, then by the logarithm, with the sign of the distance."""
    middle = buckets // 2
    far = distance.abs().clamp(min=middle)
    wide = middle + ((far / middle).log() / math.log((farthest - 1) / middle) * (middle - 1)).ceil()
    return torch.where(distance.abs() <= middle, distance, distance.sign() * wide.long())


class Deberta(Bert):
    """Scores are q·k, q·k' of the distance and k·q' of the distance, as far as there are any, over √(D · their number)."""

    def span(self):
        farthest = self.config["max_relative_positions"]
        return farthest if farthest > 0 else self.config["max_position_embeddings"]

    def embed(self, ids, kinds):
        w, path = self.w, self.path
        x = self.table[ids]
        if self.config["position_biased_input"]:
            x = x + w(f"{path}embeddings.position_embeddings.weight", self.config["max_position_embeddings"], C)[: ids.shape[1]]
        if self.config["type_vocab_size"] > 0:
            x = x + w(f"{path}embeddings.token_type_embeddings.weight", self.config["type_vocab_size"], C)[kinds]
        return self.norm("embeddings.LayerNorm", x)

    def scores(self, layer, q, k, distances, table):
        """Of heads; `distances` [T, T] are rows of the table of distances."""
        kinds = self.config["pos_att_type"]
        found = q @ k.transpose(-1, -2)
        rows = torch.arange(len(distances))[:, None]
        if "c2p" in kinds:
            own = split(self.distance_keys(layer, table)[None], H)
            found = found + (q @ own.transpose(-1, -2))[..., rows, distances]
        if "p2c" in kinds:
            own = split(self.distance_queries(layer, table)[None], H)
            found = found + (k @ own.transpose(-1, -2))[..., rows.T, distances]
        return found / math.sqrt(C // H * (1 + len(kinds)))

    def attention(self, layer, x, hidden):
        T = x.shape[1]
        distances = (torch.arange(T)[:, None] - torch.arange(T)).clamp(-self.span(), self.span() - 1)
        table = self.w(f"{self.path}encoder.rel_embeddings.weight", 2 * self.rel_span(), C)
        q, k, v = self.heads(layer, x)
        scores = self.scores(layer, q, k, self.rows_of(distances), self.rel_table(table))
        mixed = join(weights_of(scores, hidden) @ v)
        return self.linear(f"{layer}.attention.output.dense", mixed)


class DebertaV1(Deberta):
    def rel_span(self):
        return self.span()

    def rel_table(self, table):
        return table

    def rows_of(self, distances):
        return distances + self.span()

    def heads(self, layer, x):
        place = f"{self.path}{layer}.attention.self"
        whole = linear(self.w, f"{place}.in_proj", x, 3 * C, bias=False)
        # Query, key and value of a head stand behind each other.
        q, k, v = whole.view(*x.shape[:2], H, 3, C // H).permute(3, 0, 2, 1, 4)
        bias = lambda name: split(self.w(f"{place}.{name}", C, size=0.25)[None, None], H)
        return q + bias("q_bias"), k, v + bias("v_bias")

    def distance_keys(self, layer, table):
        return linear(self.w, f"{self.path}{layer}.attention.self.pos_proj", table, C, bias=False)

    def distance_queries(self, layer, table):
        return self.linear(f"{layer}.attention.self.pos_q_proj", table)


class DebertaV2(Deberta):
    def rel_span(self):
        buckets = self.config["position_buckets"]
        return buckets if buckets > 0 else self.span()

    def rel_table(self, table):
        return self.norm("encoder.LayerNorm", table) if self.config["norm_rel_ebd"] == "layer_norm" else table

    def rows_of(self, distances):
        buckets = self.config["position_buckets"]
        steps = log_bucket(distances, buckets, self.span()) if buckets > 0 else distances
        return (steps + self.rel_span()).clamp(0, 2 * self.rel_span() - 1)

    def heads(self, layer, x):
        place = f"{layer}.attention.self"
        return tuple(split(self.linear(f"{place}.{part}_proj", x), H) for part in ["query", "key", "value"])

    def of_distances(self, layer, table, part):
        shared = self.config["share_att_key"]
        return self.linear(f"{layer}.attention.self.{'' if shared else 'pos_'}{part}_proj", table)

    def distance_keys(self, layer, table):
        return self.of_distances(layer, table, "key")

    def distance_queries(self, layer, table):
        return self.of_distances(layer, table, "query")


deberta_config = {name: value for name, value in bert_config.items() if not name.endswith("_token_id") and name != "position_embedding_type"} | {
    "layer_norm_eps": 1e-07,
    "max_relative_positions": -1,
    "pad_token_id": 0,
    "pooler_dropout": 0,
    "pooler_hidden_act": "gelu",
    "pooler_hidden_size": C,
    "pos_att_type": ["c2p", "p2c"],
    "position_biased_input": False,
    "relative_attention": True,
}


def deberta():
    w = Weights("deberta")
    own = {"architectures": ["DebertaModel"], "max_position_embeddings": 8, "model_type": "deberta", "type_vocab_size": 0}
    config = deberta_config | own | {"pos_att_type": ["c2p", "p2c"]}
    model = DebertaV1(w, "", config)
    sample("deberta", w, config, lambda *given: {"last_hidden_state": model.rows(*given)})


def deberta_v3():
    """As DeBERTa-v3 has it: buckets, maps that positions share, a norm of their table, and labels of texts."""
    w = Weights("deberta-v3")
    own = {
        "architectures": ["DebertaV2ForSequenceClassification"],
        "model_type": "deberta-v2",
        "norm_rel_ebd": "layer_norm",
        "pos_att_type": ["p2c", "c2p"],
        "position_buckets": 6,
        "share_att_key": True,
        "type_vocab_size": 0,
    }
    config = deberta_config | label_fields | own
    model = DebertaV2(w, "deberta.", config)

    def outputs(*given):
        x = model.rows(*given)
        pooled = activations["gelu"](linear(w, "pooler.dense", x[:, 0], C))
        return scored(linear(w, "classifier", pooled, len(labels)))

    sample("deberta-v3", w, config, outputs, T=11, lengths=[11, 7])


def deberta_v2():
    """As small ones of the second version: maps of their own for distances, positions and types of segments, masked tokens."""
    w = Weights("deberta-v2")
    own = {
        "architectures": ["DebertaV2ForMaskedLM"],
        "max_relative_positions": 3,
        "model_type": "deberta-v2",
        "norm_rel_ebd": "none",
        "pos_att_type": ["c2p", "p2c"],
        "position_biased_input": True,
        "position_buckets": -1,
        "share_att_key": False,
        "type_vocab_size": 2,
    }
    config = deberta_config | own
    model = DebertaV2(w, "deberta.", config)
    names = {"dense": "cls.predictions.transform.dense", "norm": "cls.predictions.transform.LayerNorm", "bias": "cls.predictions.bias"}

    def outputs(*given):
        return {"logits": masked_token_logits(w, model.rows(*given), model.table, **names, eps=1e-7)}

    sample("deberta-v2", w, config, outputs, types=2)


made = [
    *[camembert, data2vec_text, roberta_prelayernorm, xlm_roberta_xl, esm, deberta, deberta_v2, deberta_v3],
    *[electra_mlm, albert_mlm, albert_sequence_classification, jina_bert],
]

if __name__ == "__main__":
    for make in made:
        if len(sys.argv) == 1 or make.__name__.replace("_", "-") in sys.argv[1:]:
            make()
