# Models of images: /usr/bin/python3 conformance/references/hf-more/images.py [NAME …]
import sys

import torch

from tiny import *

C, FF, H, layers = 12, 16, 2, 2
image, patch = 8, 4
labels = ["cat", "dog", "bird"]
label_fields = {
    "id2label": {str(i): label for i, label in enumerate(labels)},
    "label2id": {label: i for i, label in enumerate(labels)},
}


def patches(w, name, pixels, bias=True):
    """A convolution whose stride is its width: a row for each patch, line by line."""
    cut = pixels.unfold(2, patch, patch).unfold(3, patch, patch)  # [B, 3, side, side, patch, patch]
    rows = cut.permute(0, 2, 3, 1, 4, 5).flatten(1, 2).flatten(2)
    matrix = w(f"{name}.weight", C, 3, patch, patch, size=0.25).flatten(1)
    return rows @ matrix.T + (w(f"{name}.bias", C, size=0.25) if bias else 0)


def outputs(name, w, config, pixels, rows, more, others=()):
    save(name, w, config, [case("plain", {"pixel_values": pixels}, rows | more), *others])


def scored(logits):
    return {"logits": logits, "scores": logits.softmax(-1)}


def before(tokens, x):
    return torch.cat([*(one.expand(len(x), -1, -1) for one in tokens), x], 1)


# ViT: arXiv:2010.11929. DeiT, with a second token: arXiv:2012.12877. Layer scales: arXiv:2103.17239.


def vit_layers(w, path, x, eps, act, names, scale=lambda name, y: y):
    for i in range(layers):
        layer = f"{path}{names['layers']}.{i}."
        y = layer_norm(w, layer + names["norm1"], x, eps)
        q, k, v = (linear(w, layer + names[part], y, C) for part in ["query", "key", "value"])
        x = x + scale(layer + "layer_scale1.lambda1", linear(w, layer + names["output"], attend(q, k, v, H), C))
        y = layer_norm(w, layer + names["norm2"], x, eps)
        feed = linear(w, layer + names["down"], act(linear(w, layer + names["up"], y, FF)), C)
        x = x + scale(layer + "layer_scale2.lambda1", feed)
    return x


attention_names = {part: f"attention.attention.{part}" for part in ["query", "key", "value"]} | {"output": "attention.output.dense"}
vit_names = attention_names | {
    "layers": "encoder.layer",
    "norm1": "layernorm_before",
    "norm2": "layernorm_after",
    "up": "intermediate.dense",
    "down": "output.dense",
}
dino_names = attention_names | {"layers": "encoder.layer", "norm1": "norm1", "norm2": "norm2", "up": "mlp.fc1", "down": "mlp.fc2"}
clip_names = {part: f"self_attn.{part[0]}_proj" for part in ["query", "key", "value"]} | {
    "layers": "encoder.layers",
    "output": "self_attn.out_proj",
    "norm1": "layer_norm1",
    "norm2": "layer_norm2",
    "up": "mlp.fc1",
    "down": "mlp.fc2",
}

vit_config = {
    "attention_probs_dropout_prob": 0.0,
    "encoder_stride": 4,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.0,
    "hidden_size": C,
    "image_size": image,
    "initializer_range": 0.02,
    "intermediate_size": FF,
    "layer_norm_eps": 1e-12,
    "num_attention_heads": H,
    "num_channels": 3,
    "num_hidden_layers": layers,
    "patch_size": patch,
    "qkv_bias": True,
    "torch_dtype": "float32",
    "transformers_version": "4.49.0",
}


def deit_rows(w, path, pixels):
    x = patches(w, f"{path}embeddings.patch_embeddings.projection", pixels)
    tokens = [w(f"{path}embeddings.{name}_token", 1, 1, C) for name in ["cls", "distillation"]]
    x = before(tokens, x) + w(f"{path}embeddings.position_embeddings", 1, x.shape[1] + 2, C)
    x = vit_layers(w, path, x, 1e-12, activations["gelu"], vit_names)
    return layer_norm(w, f"{path}layernorm", x, 1e-12)


def deit():
    w = Weights("deit")
    pixels = w.pixels(2, 3, image, image)
    rows = deit_rows(w, "", pixels)
    pooled = torch.tanh(linear(w, "pooler.dense", rows[:, 0], C))
    own = {"architectures": ["DeiTModel"], "model_type": "deit", "pooler_act": "tanh", "pooler_output_size": C}
    outputs("deit", w, vit_config | own, pixels, {"last_hidden_state": rows}, {"pooler_output": pooled})


def deit_classifier():
    w = Weights("deit-classifier")
    pixels = w.pixels(2, 3, image, image)
    logits = linear(w, "classifier", deit_rows(w, "deit.", pixels)[:, 0], len(labels))
    own = {"architectures": ["DeiTForImageClassification"], "model_type": "deit"}
    outputs("deit-classifier", w, vit_config | label_fields | own, pixels, {}, scored(logits))


def deit_with_teacher():
    w = Weights("deit-with-teacher")
    pixels = w.pixels(2, 3, image, image)
    rows = deit_rows(w, "deit.", pixels)
    both = [linear(w, f"{name}_classifier", rows[:, i], len(labels)) for i, name in enumerate(["cls", "distillation"])]
    own = {"architectures": ["DeiTForImageClassificationWithTeacher"], "model_type": "deit"}
    outputs("deit-with-teacher", w, vit_config | label_fields | own, pixels, {}, scored((both[0] + both[1]) / 2))


# DINOv2: arXiv:2304.07193; with registers: arXiv:2309.16588.


def dinov2_rows(w, path, pixels, registers):
    x = patches(w, f"{path}embeddings.patch_embeddings.projection", pixels)
    token = w(f"{path}embeddings.cls_token", 1, 1, C)
    positions = w(f"{path}embeddings.position_embeddings", 1, (image // patch) ** 2 + 1, C)
    grid = [pixels.shape[2] // patch, pixels.shape[3] // patch]
    if grid != [image // patch] * 2:
        learned = positions[:, 1:].view(1, image // patch, image // patch, C).permute(0, 3, 1, 2)
        # As PyTorch scales pictures.
        scaled = F.interpolate(learned, size=grid, mode="bicubic", align_corners=False, antialias=True)
        positions = torch.cat([positions[:, :1], scaled.permute(0, 2, 3, 1).flatten(1, 2)], 1)
    x = before([token], x) + positions
    w(f"{path}embeddings.mask_token", 1, C)
    if registers:
        own = w(f"{path}embeddings.register_tokens", 1, registers, C)
        x = torch.cat([x[:, :1], own.expand(len(x), -1, -1), x[:, 1:]], 1)
    scale = lambda name, y: y * w(name, C, around=1.0)
    x = vit_layers(w, path, x, 1e-6, activations["gelu"], dino_names, scale)
    return layer_norm(w, f"{path}layernorm", x, 1e-6)


def dinov2_config(own):
    fields = {name: value for name, value in vit_config.items() if name not in ["encoder_stride", "intermediate_size"]}
    return fields | own | {
        "apply_layernorm": True,
        "drop_path_rate": 0.0,
        "layer_norm_eps": 1e-06,
        "layerscale_value": 1.0,
        "mlp_ratio": FF / C,
        "out_features": ["stage2"],
        "out_indices": [2],
        "reshape_hidden_states": True,
        "stage_names": ["stem", "stage1", "stage2"],
        "use_swiglu_ffn": False,
    }


def dinov2_with_registers():
    w = Weights("dinov2-with-registers")
    pixels = w.pixels(2, 3, image, image)
    rows = dinov2_rows(w, "", pixels, 4)
    own = {"architectures": ["Dinov2WithRegistersModel"], "model_type": "dinov2_with_registers", "num_register_tokens": 4}
    more = {"pooler_output": rows[:, 0]}
    # Three patches above each other.
    tall = w.pixels(1, 3, 3 * patch, patch)
    other = case("other_size", {"pixel_values": tall}, {"last_hidden_state": dinov2_rows(w, "", tall, 4)})
    outputs("dinov2-with-registers", w, dinov2_config(own), pixels, {"last_hidden_state": rows}, more, [other])


def dinov2_classifier(name, path, architecture, registers, own):
    w = Weights(name)
    pixels = w.pixels(2, 3, image, image)
    rows = dinov2_rows(w, path, pixels, registers)
    vector = torch.cat([rows[:, 0], rows[:, 1 + registers :].mean(1)], 1)
    logits = linear(w, "classifier", vector, len(labels))
    config = dinov2_config(label_fields | {"architectures": [architecture]} | own)
    outputs(name, w, config, pixels, {}, scored(logits))


def dinov2_classifier_plain():
    dinov2_classifier("dinov2-classifier", "dinov2.", "Dinov2ForImageClassification", 0, {"model_type": "dinov2"})


def dinov2_with_registers_classifier():
    own = {"model_type": "dinov2_with_registers", "num_register_tokens": 3}
    architecture = "Dinov2WithRegistersForImageClassification"
    dinov2_classifier("dinov2-with-registers-classifier", "dinov2_with_registers.", architecture, 3, own)


# CLIP: arXiv:2103.00020. SigLIP: arXiv:2303.15343. Their image encoders alone read patches as ViT does; labels are told by the mean
# of the rows of patches.

text_config = {
    "attention_dropout": 0.0,
    "hidden_size": C,
    "intermediate_size": FF,
    "max_position_embeddings": 8,
    "num_attention_heads": H,
    "num_hidden_layers": layers,
    "vocab_size": 32,
}
image_config = {
    "attention_dropout": 0.0,
    "hidden_size": C,
    "image_size": image,
    "intermediate_size": FF,
    "num_attention_heads": H,
    "num_channels": 3,
    "num_hidden_layers": layers,
    "patch_size": patch,
}


def clip_classifier():
    w, path = Weights("clip-classifier"), "vision_model."
    pixels = w.pixels(2, 3, image, image)
    x = patches(w, f"{path}embeddings.patch_embedding", pixels, bias=False)
    x = before([w(f"{path}embeddings.class_embedding", C)[None, None]], x)
    x = x + w(f"{path}embeddings.position_embedding.weight", x.shape[1], C)
    x = layer_norm(w, f"{path}pre_layrnorm", x, 1e-5)
    x = vit_layers(w, path, x, 1e-5, activations["quick_gelu"], clip_names)
    layer_norm(w, f"{path}post_layernorm", x, 1e-5)  # of the class token, which this head does not read
    logits = linear(w, "classifier", x[:, 1:].mean(1), len(labels))
    side = {"hidden_act": "quick_gelu", "layer_norm_eps": 1e-05, "initializer_factor": 1.0, "initializer_range": 0.02}
    config = label_fields | {
        "architectures": ["CLIPForImageClassification"],
        "initializer_factor": 1.0,
        "logit_scale_init_value": 2.6592,
        "model_type": "clip",
        "projection_dim": C,
        "text_config": text_config | side | {"eos_token_id": 31, "model_type": "clip_text_model", "projection_dim": C},
        "torch_dtype": "float32",
        "transformers_version": "4.49.0",
        "vision_config": image_config | side | {"model_type": "clip_vision_model", "projection_dim": C},
    }
    outputs("clip-classifier", w, config, pixels, {}, scored(logits))


def siglip_classifier():
    w, path = Weights("siglip-classifier"), "vision_model."
    pixels = w.pixels(2, 3, image, image)
    x = patches(w, f"{path}embeddings.patch_embedding", pixels)
    x = x + w(f"{path}embeddings.position_embedding.weight", x.shape[1], C)
    x = vit_layers(w, path, x, 1e-6, activations["gelu_pytorch_tanh"], clip_names)
    x = layer_norm(w, f"{path}post_layernorm", x, 1e-6)
    # The pooler, which this head does not read.
    w(f"{path}head.probe", 1, 1, C)
    w(f"{path}head.attention.in_proj_weight", 3 * C, C)
    w(f"{path}head.attention.in_proj_bias", 3 * C)
    linear(w, f"{path}head.attention.out_proj", x, C)
    layer_norm(w, f"{path}head.layernorm", x, 1e-6)
    linear(w, f"{path}head.mlp.fc2", linear(w, f"{path}head.mlp.fc1", x, FF), C)
    logits = linear(w, "classifier", x.mean(1), len(labels))
    side = {"hidden_act": "gelu_pytorch_tanh", "layer_norm_eps": 1e-06}
    config = label_fields | {
        "architectures": ["SiglipForImageClassification"],
        "initializer_factor": 1.0,
        "model_type": "siglip",
        "text_config": text_config | side | {"model_type": "siglip_text_model"},
        "torch_dtype": "float32",
        "transformers_version": "4.49.0",
        "vision_config": image_config | side | {"model_type": "siglip_vision_model"},
    }
    outputs("siglip-classifier", w, config, pixels, {}, scored(logits))


made = [
    *[deit, deit_classifier, deit_with_teacher],
    *[dinov2_with_registers, dinov2_classifier_plain, dinov2_with_registers_classifier],
    *[clip_classifier, siglip_classifier],
]

if __name__ == "__main__":
    for make in made:
        if len(sys.argv) == 1 or make.__name__.replace("_", "-") in sys.argv[1:]:
            make()
