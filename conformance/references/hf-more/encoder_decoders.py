# Encoder–decoders: /usr/bin/python3 conformance/references/hf-more/encoder_decoders.py [NAME …]
import math, sys

import torch

from tiny import *

V, C, FF, H, layers = 24, 12, 16, 2, 2
D = C // H


def sample(w, encode, decode, config, first=4):
    """A text, two of which one is padded, and a greedy text. `encode(ids, hidden)`: rows; `decode(ids, rows, hidden)`: logits."""
    ids, written = w.ids(2, 6, vocabulary=V, first=first), w.ids(2, 3, vocabulary=V, first=first)
    real = padded([6, 3], 6)
    hidden = (real == 0)[:, None, None]
    cases = []
    for name, count, mask in [("plain", 1, None), ("right_padding", 2, hidden)]:
        rows = encode(ids[:count], mask)
        inputs = {"input_ids": ids[:count]} | ({} if mask is None else {"attention_mask": real})
        outputs = {"logits": decode(written[:count], rows, mask), "encoder_last_hidden_state": rows}
        cases.append(case(name, inputs | {"decoder_input_ids": written[:count]}, outputs))
    rows = encode(ids[:1], None)
    start, forced = config["decoder_start_token_id"], [config.get(f"forced_{name}_token_id") for name in ["bos", "eos"]]
    tokens, margin = greedy(lambda own: decode(torch.tensor([own]), rows, None)[0], [start], 8, *forced)
    text = {"input_ids": ids[0].tolist(), "decoder_start_token_id": start, "tokens": tokens}
    return cases, [text | {"min_margin": round(margin, 5)}]


# T5 and its relatives: arXiv:1910.10683; gates and heads of their own: arXiv:2010.11934 (mT5); a table of distances for each
# layer: arXiv:2304.09151 (UMT5).


def bucket(distance, bidirectional, count, farthest):
    """Of key minus query: exact near the query, then by the logarithm."""
    before = torch.zeros_like(distance)
    if bidirectional:
        count //= 2
        before, distance = (distance > 0) * count, distance.abs()
    else:
        distance = (-distance).clamp(min=0)
    exact = count // 2
    wide = (distance.clamp(min=1) / exact).log() / math.log(farthest / exact) * (count - exact)
    return before + torch.where(distance < exact, distance, (exact + wide.long()).clamp(max=count - 1))


def t5(name, config):
    w = Weights(name)
    per_layer = config["model_type"] == "umt5"
    act = activations[config["dense_act_fn"]]
    D, H, eps = config["d_kv"], config["num_heads"], config["layer_norm_epsilon"]
    table = w("shared.weight", V, C)

    def attention(place, x, memory, bias, hidden):
        q, k, v = (linear(w, f"{place}.{part}", y, H * D, bias=False) for part, y in [("q", x), ("k", memory), ("v", memory)])
        return linear(w, f"{place}.o", attend(q, k, v, H, 1.0, bias, hidden), C, bias=False)

    def stack(side, x, hidden=None, memory=None, memory_hidden=None):
        decodes = memory is not None
        T = x.shape[1]
        places = torch.arange(T)
        buckets = bucket(
            places[None] - places[:, None],
            not decodes,
            config["relative_attention_num_buckets"],
            config["relative_attention_max_distance"],
        )
        for i in range(layers):
            layer = f"{side}.block.{i}.layer"
            own = f"{side}.block.{i if per_layer else 0}.layer.0.SelfAttention.relative_attention_bias.weight"
            bias = w(own, config["relative_attention_num_buckets"], H)[buckets].permute(2, 0, 1)
            y = rms_norm(w, f"{layer}.0.layer_norm", x, eps)
            x = x + attention(f"{layer}.0.SelfAttention", y, y, bias, causal(T) if decodes else hidden)
            if decodes:
                y = rms_norm(w, f"{layer}.1.layer_norm", x, eps)
                x = x + attention(f"{layer}.1.EncDecAttention", y, memory, 0.0, memory_hidden)
            feed = f"{layer}.{2 if decodes else 1}"
            y = rms_norm(w, f"{feed}.layer_norm", x, eps)
            gate = act(linear(w, f"{feed}.DenseReluDense.wi_0", y, FF, bias=False))
            inner = gate * linear(w, f"{feed}.DenseReluDense.wi_1", y, FF, bias=False)
            x = x + linear(w, f"{feed}.DenseReluDense.wo", inner, C, bias=False)
        return rms_norm(w, f"{side}.final_layer_norm", x, eps)

    encode = lambda ids, hidden: stack("encoder", table[ids], hidden)
    decode = lambda ids, rows, hidden: linear(w, "lm_head", stack("decoder", table[ids], None, rows, hidden), V, bias=False)
    save(name, w, config, *sample(w, encode, decode, config, first=2))


t5_config = {
    "classifier_dropout": 0.0,
    "d_ff": FF,
    "d_kv": 4,
    "d_model": C,
    "decoder_start_token_id": 0,
    "dense_act_fn": "gelu_new",
    "dropout_rate": 0.1,
    "eos_token_id": 1,
    "feed_forward_proj": "gated-gelu",
    "initializer_factor": 1.0,
    "is_encoder_decoder": True,
    "is_gated_act": True,
    "layer_norm_epsilon": 1e-06,
    "num_decoder_layers": layers,
    "num_heads": H,
    "num_layers": layers,
    "pad_token_id": 0,
    "relative_attention_max_distance": 5,
    "relative_attention_num_buckets": 8,
    "tie_word_embeddings": False,
    "tokenizer_class": "T5Tokenizer",
    "torch_dtype": "float32",
    "transformers_version": "4.49.0",
    "use_cache": True,
    "vocab_size": V,
}


def mt5():
    t5("mt5", t5_config | {"architectures": ["MT5ForConditionalGeneration"], "model_type": "mt5"})


def umt5():
    own = {"architectures": ["UMT5ForConditionalGeneration"], "model_type": "umt5", "output_past": True, "scalable_attention": True}
    t5("umt5", t5_config | own)


# BART and its relatives: arXiv:1910.13461; norms before each part: arXiv:2001.08210 (mBART).


def waves(T):
    """Sines of C / 2 frequencies, then their cosines."""
    angles = torch.arange(T)[:, None] * 10000.0 ** (-torch.arange(0, C, 2) / C)
    return torch.cat([angles.sin(), angles.cos()], 1)


def bart(name, config, pre, embedding_norm, offset=2, sinusoids=False):
    w = Weights(name)
    act = activations[config["activation_function"]]
    length = config["max_position_embeddings"]
    scale = math.sqrt(C) if config["scale_embedding"] else 1.0
    table = w("model.shared.weight", V, C)
    norm = lambda place, x: layer_norm(w, place, x, 1e-5)

    def sublayer(x, place, f):
        return x + f(norm(place, x)) if pre else norm(place, x + f(x))

    def attention(place, x, memory, hidden):
        q, k, v = (linear(w, f"{place}.{part}_proj", y, C) for part, y in [("q", x), ("k", memory), ("v", memory)])
        return linear(w, f"{place}.out_proj", attend(q, k, v, H, hidden=hidden), C)

    def stack(side, ids, hidden=None, memory=None, memory_hidden=None):
        decodes = memory is not None
        T = ids.shape[1]
        positions = waves(length) if sinusoids else w(f"model.{side}.embed_positions.weight", length + offset, C)
        x = scale * table[ids] + positions[offset : offset + T]
        if embedding_norm:
            x = norm(f"model.{side}.layernorm_embedding", x)
        for i in range(config[f"{side}_layers"]):
            layer = f"model.{side}.layers.{i}"
            own = causal(T) if decodes else hidden
            x = sublayer(x, f"{layer}.self_attn_layer_norm", lambda y: attention(f"{layer}.self_attn", y, y, own))
            if decodes:
                read = lambda y: attention(f"{layer}.encoder_attn", y, memory, memory_hidden)
                x = sublayer(x, f"{layer}.encoder_attn_layer_norm", read)
            feed = lambda y: linear(w, f"{layer}.fc2", act(linear(w, f"{layer}.fc1", y, config[f"{side}_ffn_dim"])), C)
            x = sublayer(x, f"{layer}.final_layer_norm", feed)
        return norm(f"model.{side}.layer_norm", x) if pre else x

    encode = lambda ids, hidden: stack("encoder", ids, hidden)

    def decode(ids, rows, hidden):
        x = stack("decoder", ids, None, rows, hidden)
        return x @ table.T + w("final_logits_bias", 1, V, size=1.0)

    save(name, w, config, *sample(w, encode, decode, config))


bart_config = {
    "activation_dropout": 0.0,
    "activation_function": "gelu",
    "attention_dropout": 0.0,
    "bos_token_id": 0,
    "classifier_dropout": 0.0,
    "d_model": C,
    "decoder_attention_heads": H,
    "decoder_ffn_dim": FF,
    "decoder_layerdrop": 0.0,
    "decoder_layers": layers,
    "dropout": 0.1,
    "encoder_attention_heads": H,
    "encoder_ffn_dim": 12,
    "encoder_layerdrop": 0.0,
    "encoder_layers": layers,
    "eos_token_id": 2,
    "forced_eos_token_id": 2,
    "init_std": 0.02,
    "is_encoder_decoder": True,
    "max_position_embeddings": 14,
    "num_hidden_layers": layers,
    "pad_token_id": 1,
    "scale_embedding": True,
    "torch_dtype": "float32",
    "transformers_version": "4.49.0",
    "use_cache": True,
    "vocab_size": V,
}


def mbart():
    # As in mBART-50: a text begins with the end token, and then that of its language.
    own = {
        "_num_labels": 3,
        "add_bias_logits": False,
        "add_final_layer_norm": True,
        "architectures": ["MBartForConditionalGeneration"],
        "classif_dropout": 0.0,
        "decoder_start_token_id": 2,
        "forced_bos_token_id": 7,
        "id2label": {"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2"},
        "label2id": {"LABEL_0": 0, "LABEL_1": 1, "LABEL_2": 2},
        "model_type": "mbart",
        "normalize_before": True,
        "normalize_embedding": True,
        "output_past": True,
        "static_position_embeddings": False,
        "tokenizer_class": "MBart50Tokenizer",
    }
    bart("mbart", bart_config | own, pre=True, embedding_norm=True)


def plbart():
    # As BART, with the language's token at the end of a source and at the start of what is written.
    own = {
        "add_bias_logits": False,
        "add_final_layer_norm": False,
        "architectures": ["PLBartForConditionalGeneration"],
        "decoder_start_token_id": 5,
        "forced_eos_token_id": 2,
        "model_type": "plbart",
        "normalize_before": False,
        "normalize_embedding": True,
        "static_position_embeddings": False,
        "tokenizer_class": "PLBartTokenizer",
    }
    bart("plbart", bart_config | own, pre=False, embedding_norm=True)


def pegasus():
    # arXiv:1912.08777
    own = {
        "activation_function": "relu",
        "add_bias_logits": False,
        "add_final_layer_norm": True,
        "architectures": ["PegasusForConditionalGeneration"],
        "decoder_start_token_id": 0,
        "eos_token_id": 1,
        "extra_pos_embeddings": 1,
        "forced_eos_token_id": 1,
        "length_penalty": 0.6,
        "max_length": 12,
        "model_type": "pegasus",
        "normalize_before": True,
        "normalize_embedding": False,
        "num_beams": 8,
        "pad_token_id": 0,
        "static_position_embeddings": True,
        "tokenizer_class": "PegasusTokenizer",
    }
    bart("pegasus", bart_config | own, pre=True, embedding_norm=False, offset=0, sinusoids=True)


def blenderbot():
    # arXiv:2004.13637
    own = {
        "add_bias_logits": False,
        "add_final_layer_norm": True,
        "architectures": ["BlenderbotForConditionalGeneration"],
        "bos_token_id": 1,
        "decoder_start_token_id": 1,
        "do_blenderbot_90_layernorm": True,
        "encoder_no_repeat_ngram_size": 3,
        "extra_layer_norm": False,
        "extra_pos_embeddings": 0,
        "force_bos_token_to_be_generated": False,
        "layernorm_variant": "prelayernorm",
        "model_type": "blenderbot",
        "normalize_before": True,
        "normalize_embedding": False,
        "pad_token_id": 0,
        "static_position_embeddings": False,
        "tokenizer_class": "BlenderbotTokenizer",
        "unk_token_id": 3,
    }
    bart("blenderbot", bart_config | own, pre=True, embedding_norm=False, offset=0)


if __name__ == "__main__":
    for make in [mt5, umt5, mbart, plbart, pegasus, blenderbot]:
        if len(sys.argv) == 1 or make.__name__.replace("_", "-") in sys.argv[1:]:
            make()
