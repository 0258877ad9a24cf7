// The decoder in llama.cpp, with node-llama-cpp: an upper bound. It returns tokens but no logits, so its output is not
// compared; its cache is in half precision.
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gguf } from "./gguf.mjs";
import { weights } from "./shapes.mjs";

export async function openLlama(shape, encoding, { threads }) {
  const { getLlama, LlamaLogLevel } = await import("node-llama-cpp");
  const llama = await getLlama({
    gpu: false,
    build: "never",
    logLevel: LlamaLogLevel.error,
    maxThreads: threads,
  });
  const folder = mkdtempSync(join(tmpdir(), "qkv-bench-"));
  try {
    const path = join(folder, "model.gguf");
    const file = openSync(path, "w");
    for (const piece of gguf(factsOf(shape), tensorsOf(shape, encoding))) writeWhole(file, piece);
    closeSync(file);
    const model = await llama.loadModel({ modelPath: path, gpuLayers: 0, useMmap: false });
    const options = { contextSize: shape.context, threads, batchSize: shape.prompt };
    const sequence = (await model.createContext(options)).getSequence();
    return {
      threads,
      silent: true,
      reset: () => sequence.clearHistory(),
      async step(ids) {
        if (ids.length > 1) return sequence.evaluateWithoutGeneratingNewTokens(ids);
        // Computes one token, and samples the next one.
        for await (const _ of sequence.evaluate(ids, { temperature: 0 })) break;
      },
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function writeWhole(file, bytes) {
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at, Math.min(2 ** 26, bytes.length - at));
}

function factsOf({ gpt, C, F, V, L, H, D, context }) {
  const kind = gpt ? "gpt2" : "llama";
  const tokens = Array.from({ length: V }, (_, i) =>
    i < 3 ? ["<unk>", "<s>", "</s>"][i] : i < 259 ? byte(i - 3) : `t${i}`,
  );
  return [
    ["general.architecture", "text", kind],
    [`${kind}.context_length`, "u32", context],
    [`${kind}.embedding_length`, "u32", C],
    [`${kind}.block_count`, "u32", L],
    [`${kind}.feed_forward_length`, "u32", F],
    [`${kind}.attention.head_count`, "u32", H],
    [`${kind}.attention.head_count_kv`, "u32", H],
    [`${kind}.attention.layer_norm_${gpt ? "" : "rms_"}epsilon`, "f32", 1e-5],
    ...(gpt ? [] : [["llama.rope.dimension_count", "u32", D]]),
    // The file needs a vocabulary, although no text is encoded or decoded.
    ["tokenizer.ggml.model", "text", "llama"],
    ["tokenizer.ggml.tokens", "list of text", tokens],
    ["tokenizer.ggml.scores", "list of f32", tokens.map(() => 0)],
    [
      "tokenizer.ggml.token_type",
      "list of i32",
      tokens.map((_, i) => (i === 0 ? 2 : i < 3 ? 3 : i < 259 ? 6 : 1)),
    ],
    ["tokenizer.ggml.bos_token_id", "u32", 1],
    ["tokenizer.ggml.eos_token_id", "u32", 2],
  ];
}

const byte = (value) => `<0x${value.toString(16).toUpperCase().padStart(2, "0")}>`;

function tensorsOf(shape, encoding) {
  const { gpt, L } = shape;
  const all = weights(shape);
  const tensors = [];
  const put = (name, from) => {
    const [first] = from;
    const lengths = all.shape(first);
    // Queries, keys and values of GPT-2 are one fused projection, rows concatenated.
    const parts = from.map((each) => all.data(each));
    const data = new Float32Array(parts.length * parts[0].length);
    parts.forEach((part, i) => data.set(part, i * part.length));
    const wide = [lengths[0] * parts.length, ...lengths.slice(1)];
    const staysFloat = lengths.length === 1 || name.startsWith("position");
    tensors.push({ name, shape: wide, data, encoding: staysFloat ? "f32" : encoding });
  };
  const both = (name, ...from) => {
    put(`${name}.weight`, from);
    if (gpt)
      put(
        `${name}.bias`,
        from.map((each) => `${each}.bias`),
      );
  };
  put("token_embd.weight", ["embedding"]);
  if (gpt) put("position_embd.weight", ["positions"]);
  for (let layer = 0; layer < L; layer++) {
    const block = (to, ...from) => both(`blk.${layer}.${to}`, ...from.map((name) => `${name}.${layer}`));
    block("attn_norm", "attentionNorm");
    if (gpt) block("attn_qkv", "query", "key", "value");
    else
      for (const [to, from] of [
        ["q", "query"],
        ["k", "key"],
        ["v", "value"],
      ])
        block(`attn_${to}`, from);
    block("attn_output", "output");
    block("ffn_norm", "feedForwardNorm");
    if (!gpt) block("ffn_gate", "gate");
    block("ffn_up", "up");
    block("ffn_down", "down");
  }
  both("output_norm", "norm");
  return tensors;
}
