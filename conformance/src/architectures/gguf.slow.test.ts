import { halfToInterleaved } from "@qkv/attention";
import { randn, tensor, type Tensor } from "@qkv/tensor";
import { load, type Model } from "@qkv/transformer";
import { join } from "node:path";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { scratchData } from "../scratch-data.js";
import { devices, ids, logitTolerance } from "./agree.js";
import { ggufFile, stored, type GgufType, type Stored } from "./gguf-file.js";
import { writeCheckpoint } from "./random-checkpoint.js";

type Drawn = { hf: string; gguf: string; shape: readonly number[]; plain?: boolean };

/** The GGUF and Hugging Face names of a Llama layer's tensors. */
const layer = (names: readonly (readonly [hf: string, gguf: string, ...shape: number[]])[]) =>
  [0].flatMap((i) =>
    names.map(([hf, gguf, ...shape]): Drawn => ({
      hf: `model.layers.${i}.${hf}`,
      gguf: `blk.${i}.${gguf}`,
      shape,
    })),
  );

/**
 * Writes random weights as a GGUF file of a type and, decoded from that type, as a checkpoint of Hugging Face; loads both.
 */
async function both(
  drawn: readonly Drawn[],
  {
    type,
    json,
    metadata,
    convert,
    together,
  }: {
    type: GgufType;
    json: Record<string, unknown>;
    metadata: Record<string, number | string>;
    /** Converts a matrix to the order of rows in the GGUF file. */
    convert?: (hf: string, x: Tensor) => Tensor;
    /** True if the file stores all experts' matrices of a kind as one tensor. */
    together?: boolean;
  },
): Promise<[gguf: Model, reference: Model][]> {
  const files: Record<string, Stored & { shape: readonly number[] }> = {};
  const tensors: Record<string, Tensor> = {};
  for (const [i, { hf, gguf, shape }] of drawn.entries()) {
    const x = randn(shape, { seed: 50 + i });
    const size = shape.length > 1 ? 1 / Math.sqrt(shape.at(-1)!) : 0.3;
    const isGain = shape.length === 1 && hf.endsWith("weight");
    const values = Array.from(x.data, (v) => v * size + (isGain ? 1 : 0));
    // Vectors are not quantized, as in llama.cpp's converters.
    const kind = shape.length > 1 ? type : "f32";
    const plain = stored(values, kind);
    const { numbers } = plain;
    const converted = convert
      ? convert(hf, tensor(Float32Array.from(values), { shape }))
      : tensor(Float32Array.from(values), { shape });
    files[gguf] = { ...(convert ? stored(Array.from(converted.data), kind) : plain), shape: converted.shape };
    tensors[hf] = tensor(Float32Array.from(numbers), { shape });
  }
  const held = together ? joined(files) : files;
  const file = join(scratchData({ "m.gguf": ggufFile(metadata, held) }), "m.gguf");
  const folder = await writeCheckpoint(json, tensors);
  return Promise.all(
    (await devices()).map(
      async (device) => [await load(file, { device }), await load(folder, { device })] as [Model, Model],
    ),
  );
}

type Files = Record<string, Stored & { shape: readonly number[] }>;

/** Concatenates matrices of experts under one name. */
function joined(files: Files): Files {
  const all: Files = {};
  for (const [name, file] of Object.entries(files)) {
    const one = name.replace(/(ffn_\w+)\.\d+\.weight$/, "$1_exps.weight");
    const before = all[one];
    if (one === name) all[one] = file;
    else {
      all[one] = {
        ...file,
        bytes: Uint8Array.from([...(before?.bytes ?? []), ...file.bytes]),
        shape: [(before?.shape[0] ?? 0) + 1, ...file.shape],
      };
    }
  }
  return all;
}

function expectSame(pairs: readonly [Model, Model][]): void {
  for (const [ours, reference] of pairs) {
    expect(ours.apply(ours.params, ids)).toBeAllclose(reference.apply(reference.params, ids), logitTolerance);
  }
}

const [V, C, F, H, Hkv, D] = [17, 256, 256, 4, 2, 64];
const llama = [
  { hf: "model.embed_tokens.weight", gguf: "token_embd.weight", shape: [V, C] },
  ...layer([
    ["input_layernorm.weight", "attn_norm.weight", C],
    ["self_attn.q_proj.weight", "attn_q.weight", H * D, C],
    ["self_attn.k_proj.weight", "attn_k.weight", Hkv * D, C],
    ["self_attn.v_proj.weight", "attn_v.weight", Hkv * D, C],
    ["self_attn.o_proj.weight", "attn_output.weight", C, H * D],
    ["post_attention_layernorm.weight", "ffn_norm.weight", C],
    ["mlp.gate_proj.weight", "ffn_gate.weight", F, C],
    ["mlp.up_proj.weight", "ffn_up.weight", F, C],
    ["mlp.down_proj.weight", "ffn_down.weight", C, F],
  ]),
  { hf: "model.norm.weight", gguf: "output_norm.weight", shape: [C] },
];
const json = {
  vocab_size: V,
  hidden_size: C,
  intermediate_size: F,
  num_hidden_layers: 1,
  num_attention_heads: H,
  num_key_value_heads: Hkv,
  max_position_embeddings: 64,
  rms_norm_eps: 0.0009765625,
  rope_theta: 20000,
  tie_word_embeddings: true,
  eos_token_id: 3,
};
const metadataOf = (arch: string, more: Record<string, number | string> = {}) => ({
  "general.architecture": arch,
  [`${arch}.embedding_length`]: C,
  [`${arch}.feed_forward_length`]: F,
  [`${arch}.block_count`]: 1,
  [`${arch}.attention.head_count`]: H,
  [`${arch}.attention.head_count_kv`]: Hkv,
  [`${arch}.context_length`]: 64,
  [`${arch}.attention.layer_norm_rms_epsilon`]: 0.0009765625,
  [`${arch}.rope.freq_base`]: 20000.5,
  [`${arch}.rope.dimension_count`]: D,
  "tokenizer.ggml.eos_token_id": 3,
  ...more,
});
const base = { ...json, rope_theta: 20000.5 };

test.each(["f32", "f16", "q8_0", "q4_0", "q4_k"] as const)(
  "a Llama of %s: queries and keys for neighbouring pairs",
  async (type) => {
    // Only whole rows are permuted, so the blocks of each row stay valid.
    const convert = (hf: string, x: Tensor) =>
      /[qk]_proj/.test(hf) ? halfToInterleaved(x, { headDim: D }) : x;
    const options = { type, json: { ...base, model_type: "llama" }, metadata: metadataOf("llama"), convert };
    const pairs = await both(llama, options);
    expectSame(pairs);
    expect(pairs[0]![0].config).toMatchObject({ ropeLayout: "interleaved", stopIds: [3], contextLength: 64 });
  },
);

test("Llama 3: scaling factors of rotary frequencies, a tensor in the file", async () => {
  const convert = (hf: string, x: Tensor) =>
    /[qk]_proj/.test(hf) ? halfToInterleaved(x, { headDim: D }) : x;
  const factors = Array.from({ length: D / 2 }, (_, i) => 1 + i / 4);
  const [[ours]] = (await both(llama, {
    type: "f32",
    json: { ...base, model_type: "llama" },
    metadata: metadataOf("llama"),
    convert,
  })) as [[Model, Model]];
  const files = Object.fromEntries(
    llama.map(({ hf, gguf, shape }, i) => {
      const x = randn(shape, { seed: 50 + i });
      const size = shape.length > 1 ? 1 / Math.sqrt(shape.at(-1)!) : 0.3;
      x.data.forEach((v, k) => (x.data[k] = v * size + (shape.length === 1 ? 1 : 0)));
      const converted = convert(hf, x);
      return [gguf, { ...stored(Array.from(converted.data), "f32"), shape: converted.shape }];
    }),
  );
  const withFactors = { ...files, "rope_freqs.weight": { ...stored(factors, "f32"), shape: [D / 2] } };
  const path = join(scratchData({ "m.gguf": ggufFile(metadataOf("llama"), withFactors) }), "m.gguf");
  const model = await load(path);
  expect(model.config.ropeScaling).toMatchObject({
    type: "longrope",
    shortFactors: factors,
    longFactors: factors,
    attentionFactor: 1,
  });
  expect(model.apply(model.params, ids).data).not.toEqual(ours.apply(ours.params, ids).data);
});

test.each([
  ["llama", "mixtral", "block_sparse_moe", ["w1", "w3", "w2"]],
  ["qwen3moe", "qwen3_moe", "mlp", ["gate_proj", "up_proj", "down_proj"]],
] as const)(
  "a mixture of experts (%s), each kind of matrix in one tensor",
  async (arch, type, path, names) => {
    const E = 3;
    const qkNorm = layer([
      ["self_attn.q_norm.weight", "attn_q_norm.weight", D],
      ["self_attn.k_norm.weight", "attn_k_norm.weight", D],
    ]);
    const dense = llama.filter(({ hf }) => !hf.includes(".mlp."));
    const router = layer([[`${path}.gate.weight`, "ffn_gate_inp.weight", E, C]]);
    // Generated one by one; the file stores those of a kind as one tensor.
    const experts = names.flatMap((name, i) =>
      Array.from({ length: E }, (_, e): Drawn => ({
        hf: `model.layers.0.${path}.experts.${e}.${name}.weight`,
        gguf: `blk.0.ffn_${["gate", "up", "down"][i]}.${e}.weight`,
        shape: i === 2 ? [C, F] : [F, C],
      })),
    );
    const more = {
      [`${arch}.expert_count`]: E,
      [`${arch}.expert_used_count`]: 2,
      [`${arch}.expert_feed_forward_length`]: F,
    };
    const config = {
      ...base,
      model_type: type,
      [type === "mixtral" ? "num_local_experts" : "num_experts"]: E,
      num_experts_per_tok: 2,
      norm_topk_prob: true,
      ...(type !== "mixtral" && { moe_intermediate_size: F }),
    };
    const convert = (hf: string, x: Tensor) =>
      /[qk]_proj/.test(hf) ? halfToInterleaved(x, { headDim: D }) : x;
    const options = {
      type: "q8_0" as const,
      json: config,
      metadata: metadataOf(arch, more),
      ...(arch === "llama" && { convert }),
    };
    const drawn = [...dense, ...router, ...experts, ...(arch === "llama" ? [] : qkNorm)];
    expectSame(await both(drawn, options));
    expectSame(await both(drawn, { ...options, together: true }));
  },
);

test("Qwen 2: unpermuted rotary layout, and biases", async () => {
  const biases = layer([
    ["self_attn.q_proj.bias", "attn_q.bias", H * D],
    ["self_attn.k_proj.bias", "attn_k.bias", Hkv * D],
    ["self_attn.v_proj.bias", "attn_v.bias", Hkv * D],
  ]);
  expectSame(
    await both([...llama, ...biases], {
      type: "q8_0",
      json: { ...base, model_type: "qwen2" },
      metadata: metadataOf("qwen2"),
    }),
  );
});

test("Phi-3: fused projections as in its checkpoints, an untied output projection", async () => {
  const fused = [
    ...llama.filter(({ hf }) => !/[qkv]_proj|gate_proj|up_proj/.test(hf)),
    ...layer([
      ["self_attn.qkv_proj.weight", "attn_qkv.weight", (H + 2 * Hkv) * D, C],
      ["mlp.gate_up_proj.weight", "ffn_up.weight", 2 * F, C],
    ]),
    { hf: "lm_head.weight", gguf: "output.weight", shape: [V, C] },
  ];
  const metadata = metadataOf("phi3", { "phi3.attention.sliding_window": 5 });
  const config = { ...base, model_type: "phi3", tie_word_embeddings: false, sliding_window: 5 };
  expectSame(await both(fused, { type: "q4_0", json: config, metadata }));
});

test("Gemma 2: norm weights plus 1, norms before and after, softcaps", async () => {
  const gemma = [
    ...llama.map((one) => ({ ...one, gguf: one.gguf.replace("ffn_norm", "post_attention_norm") })),
    ...layer([
      ["pre_feedforward_layernorm.weight", "ffn_norm.weight", C],
      ["post_feedforward_layernorm.weight", "post_ffw_norm.weight", C],
    ]),
  ];
  const metadata = metadataOf("gemma2", {
    "gemma2.attention.key_length": D,
    "gemma2.attn_logit_softcapping": 2.5,
    "gemma2.final_logit_softcapping": 3.5,
    "gemma2.attention.sliding_window": 4,
  });
  const config = {
    ...base,
    model_type: "gemma2",
    head_dim: D,
    query_pre_attn_scalar: D,
    attn_logit_softcapping: 2.5,
    final_logit_softcapping: 3.5,
    sliding_window: 4,
  };
  // The checkpoint stores norm weights minus 1; the file stores the full weights.
  const convert = (hf: string, x: Tensor) =>
    x.shape.length === 1
      ? tensor(
          Float32Array.from(x.data, (v) => v + 1),
          { shape: x.shape },
        )
      : x;
  expectSame(await both(gemma, { type: "f32", json: config, metadata, convert }));
});

test.each([
  ["gpt2", "gpt2", 3 * C, H],
  ["starcoder", "gpt_bigcode", C + 2 * D, 1],
])("%s: matrices as [out, in], whatever its checkpoints do", async (arch, type, qkv, kv) => {
  const names: [string, string, ...number[]][] = [
    ["ln_1.weight", "attn_norm.weight", C],
    ["ln_1.bias", "attn_norm.bias", C],
    ["attn.c_attn.weight", "attn_qkv.weight", qkv, C],
    ["attn.c_attn.bias", "attn_qkv.bias", qkv],
    ["attn.c_proj.weight", "attn_output.weight", C, C],
    ["attn.c_proj.bias", "attn_output.bias", C],
    ["ln_2.weight", "ffn_norm.weight", C],
    ["ln_2.bias", "ffn_norm.bias", C],
    ["mlp.c_fc.weight", "ffn_up.weight", F, C],
    ["mlp.c_fc.bias", "ffn_up.bias", F],
    ["mlp.c_proj.weight", "ffn_down.weight", C, F],
    ["mlp.c_proj.bias", "ffn_down.bias", C],
  ];
  const drawn = [
    { hf: "transformer.wte.weight", gguf: "token_embd.weight", shape: [V, C] },
    { hf: "transformer.wpe.weight", gguf: "position_embd.weight", shape: [64, C] },
    ...layer(names).map((one) => ({ ...one, hf: one.hf.replace("model.layers", "transformer.h") })),
    { hf: "transformer.ln_f.weight", gguf: "output_norm.weight", shape: [C] },
    { hf: "transformer.ln_f.bias", gguf: "output_norm.bias", shape: [C] },
  ];
  const config = {
    model_type: "gpt_bigcode",
    multi_query: type === "gpt_bigcode",
    vocab_size: V,
    n_embd: C,
    n_inner: F,
    n_layer: 1,
    n_head: H,
    n_positions: 64,
    layer_norm_epsilon: 0.0009765625,
  };
  // Hugging Face's GPT-2 stores matrices transposed. BigCode's model has the same computation, with query, key and
  // value as one head's parts.
  const perHead = (x: Tensor) => {
    const [rows, ...rest] = x.shape;
    const width = rest.reduce((a, b) => a * b, 1);
    const moved = new Float32Array(x.data.length);
    for (let row = 0; row < rows!; row++) {
      const [head, part, d] = [Math.floor(row / (3 * D)), Math.floor((row % (3 * D)) / D), row % D];
      moved.set(
        (x.data as Float32Array).subarray(row * width, (row + 1) * width),
        (part * C + head * D + d) * width,
      );
    }
    return tensor(moved, { shape: x.shape });
  };
  const convert = (hf: string, x: Tensor) => (arch === "gpt2" && hf.includes("c_attn") ? perHead(x) : x);
  const metadata = {
    ...metadataOf(arch, { [`${arch}.attention.layer_norm_epsilon`]: 0.0009765625 }),
    [`${arch}.attention.head_count_kv`]: kv,
  };
  expectSame(await both(drawn, { type: "q8_0", json: config, metadata, convert }));
});

test("refuses an unknown architecture, an unknown type, a missing tensor and a truncated file", async () => {
  const one = { ...stored([1, 2, 3, 4], "f32"), shape: [2, 2] };
  const refusal = async (bytes: Uint8Array) =>
    String(await load(Uint8Array.from(bytes)).catch((error: unknown) => error));
  expect(await refusal(ggufFile({ "general.architecture": "t5" }, {}))).toMatch(
    /general.architecture` is "t5", expected a known architecture: llama, qwen2/,
  );
  expect(await refusal(ggufFile({}, { x: { ...one, type: 16 } }))).toMatch(
    /x: type` is "IQ2_XXS", expected one of F32, F16, Q4_0, … .*\nFix: qkv does not implement IQ2_XXS\. Take a file/,
  );
  expect(await refusal(ggufFile({}, { x: { ...one, type: 8 } }))).toMatch(
    /x: shape` is \[2, 2\], expected rows of a multiple of 32/,
  );
  const files = Object.fromEntries(
    llama
      .slice(0, 3)
      .map(({ gguf, shape }) => [
        gguf,
        { ...stored(new Array<number>(shape.reduce((a, b) => a * b, 1)).fill(0.5), "f32"), shape },
      ]),
  );
  const whole = ggufFile(metadataOf("llama"), files);
  expect(await refusal(whole)).toMatch(
    /model.norm.weight|self_attn.k_proj.weight` is undefined, expected a tensor/,
  );
  for (const cut of [3, 20, 100, whole.length - 40])
    expect(await refusal(whole.subarray(0, cut))).toMatch(/FormatError/);
});
