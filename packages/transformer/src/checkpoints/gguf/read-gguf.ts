import { checks, describeValue, FormatError, knownNames, type GgufHeader, type GgufValue } from "@qkv/core";
import { checkpointsCommand } from "../checkpoints-command.js";
import { knownCheckpoints } from "../known-checkpoints.js";
import type { ReadFile } from "../../loading/open-file.js";
import type { Weights } from "../../loading/weights.js";
import type { WeightFile } from "../../loading/weight-file.js";
import type { Checkpoint } from "../hugging-face/family.js";
import { readCheckpoint } from "../hugging-face/read-checkpoint.js";
import { ropeFactors, ropeScalingJson } from "./gguf-rope.js";
import { stopIds } from "./gguf-stop-ids.js";
import { ggufTable } from "./gguf-table.js";
import { keysWithoutEffect } from "./keys-without-effect.js";
import { readGgufArchitecture } from "./read-gguf-architecture.js";
import { fromGgufName, ggufArchitectures, ggufMixtral, type GgufNames } from "./gguf-names.js";

/**
 * Reads a model from a GGUF file. Metadata and names are converted to those of Hugging Face.
 *
 * @param metadata - Metadata of the file's header.
 * @param file - Its tensors.
 * @param openWeights - Opens the tensors of a file for reading onto a device.
 */
export async function readGguf(
  metadata: GgufHeader["metadata"],
  file: WeightFile,
  openWeights: (file: WeightFile) => Weights,
): Promise<Checkpoint> {
  const arch = metadata.get("general.architecture");
  const readFields = new Set<string>();
  const field = (name: string): GgufValue | undefined => {
    readFields.add(name);
    return metadata.get(`${String(arch)}.${name}`);
  };
  const architecture =
    arch === "llama" && Number(field("expert_count") ?? 0) > 0
      ? ggufMixtral
      : typeof arch === "string" && Object.hasOwn(ggufArchitectures, arch)
        ? ggufArchitectures[arch as keyof typeof ggufArchitectures]
        : undefined;
  const table = ggufTable.find(({ name }) => name === arch);
  if (table) return readGgufArchitecture(table, metadata, file, openWeights);
  if (!architecture) {
    const known = knownCheckpoints().flatMap(({ format, name }) => (format === "gguf" ? [name] : []));
    const expected = `a known architecture: ${knownNames(arch, known, checkpointsCommand)}`;
    const fix =
      typeof arch === "string"
        ? `choose a model of another architecture: qkv does not implement ${arch} in GGUF files.`
        : "download the file again: it does not name its architecture.";
    return fileChecks(file).refuse({ argument: "general.architecture", received: arch, expected, fix });
  }
  const renamed = rename(file, architecture.names);
  const json = huggingFaceConfig(architecture.type, field, metadata, renamed);
  const factors = await ropeFactors(file, field);
  refuseUnknownFields(file, `${String(arch)}.`, metadata, readFields);
  const checkpoint = await readCheckpoint(json, file, openWeights(renamed), "gguf");
  if (checkpoint.kind !== "decoder") return checkpoint;
  return {
    ...checkpoint,
    config: {
      ...checkpoint.config,
      // Converters permute Llama's query and key rows to the interleaved rotary layout.
      ...(arch === "llama" && { ropeLayout: "interleaved" as const }),
      ...(factors && { ropeScaling: factors }),
    },
  };
}

/** The file with the tensor names of Hugging Face, without the RoPE frequency factors, which have no name there. */
function rename(file: WeightFile, ggufNames: GgufNames): WeightFile {
  const names = new Map<string, string>();
  for (const name of file.names) {
    if (!/^(.*\.)?rope_(freqs|factors)/.test(name)) names.set(fromGgufName(ggufNames, name) ?? name, name);
  }
  return {
    name: file.name,
    fn: file.fn,
    names: [...names.keys()],
    shape: (name) => file.shape(names.get(name) ?? ""),
    chunks: (name) => file.chunks(names.get(name)!),
    half: (name) => file.half?.(names.get(name)!),
    halfChunks: (name) => file.halfChunks!(names.get(name)!),
  };
}

function huggingFaceConfig(
  type: string,
  field: (name: string) => GgufValue | undefined,
  metadata: GgufHeader["metadata"],
  file: WeightFile,
): Record<string, unknown> {
  const embedding = file.names.find((name) => /(embed_tokens|wte|word_embeddings)\.weight$/.test(name));
  const types = file.shape("embeddings.token_type_embeddings.weight");
  const window = field("attention.sliding_window") || undefined; // 0: none
  const [heads, width, headDim] = [
    field("attention.head_count"),
    field("embedding_length"),
    field("attention.key_length"),
  ];
  const rotaryDim = field("rope.dimension_count");
  const keyLength = headDim ?? Number(width) / Number(heads);
  const layersOf27B = type === "gemma2" ? 46 : 62; // the 27B models scale queries by embedDim / numHeads
  const base = field("rope.freq_base");
  const learned = type === "gpt2" || type === "gpt_bigcode" || type === "bert";
  const check = fileChecks(file);
  /** Refuses a field with another value than the implemented one; a value of another type is damaged. */
  const mustBe = (name: string, value: boolean | number, expected: string) => {
    const received = field(name);
    const comparable = typeof received === "bigint" ? Number(received) : received;
    if (comparable === undefined || comparable === value) return;
    const given = `${name}: ${describeValue(received)}`;
    const fix =
      typeof comparable === typeof value
        ? `qkv does not implement \`${given}\` for ${type} in GGUF files. Choose a model with a supported value.`
        : `download ${file.name} again: the field is damaged.`;
    check.refuse({ argument: name, received, expected, fix });
  };
  mustBe("attention.causal", type !== "bert", `${type !== "bert"}, or nothing, in this architecture`);
  mustBe("attention.value_length", Number(keyLength), `${String(keyLength)}, the length of the keys`);
  return {
    model_type: type,
    vocab_size: embedding && file.shape(embedding)?.[0],
    hidden_size: width,
    ...hiddenSizes(type, field),
    num_local_experts: field("expert_count"),
    num_experts_per_tok: field("expert_used_count"),
    // GGUF has no key for norm_topk_prob; llama.cpp always normalizes.
    ...(type === "qwen3_moe" && { norm_topk_prob: true }),
    num_hidden_layers: field("block_count"),
    num_attention_heads: heads,
    num_key_value_heads: type === "bert" ? undefined : field("attention.head_count_kv"),
    ...(type === "gpt_bigcode" && { multi_query: field("attention.head_count_kv") === 1 }),
    head_dim: learned ? undefined : headDim,
    max_position_embeddings: field("context_length"),
    ...normEpsilon(type, field),
    ...(types && { type_vocab_size: types[0] }),
    // Positions of GPT-2 and BERT are learned, even if a converter writes a RoPE base.
    rope_theta: learned ? undefined : base,
    ...(!learned &&
      typeof rotaryDim === "number" &&
      rotaryDim !== keyLength && { partial_rotary_factor: rotaryDim / Number(keyLength) }),
    rope_local_base_freq: field("rope.freq_base_swa"),
    sliding_window: window,
    ...(window !== undefined &&
      (type === "gemma2" || type === "gemma3_text") && {
        layer_types: layerTypes(
          field("attention.sliding_window_pattern") ?? (type === "gemma2" ? 2 : 6),
          // Counted from the tensors, because `block_count` of a damaged file could have any value.
          file.names.filter((name) => name.endsWith(".input_layernorm.weight")).length,
        ),
      }),
    query_pre_attn_scalar:
      type.startsWith("gemma") && type !== "gemma"
        ? field("block_count") === layersOf27B
          ? Number(width) / Number(heads)
          : keyLength
        : undefined,
    attn_logit_softcapping: field("attn_logit_softcapping"),
    final_logit_softcapping: field("final_logit_softcapping"),
    rope_scaling: ropeScalingJson(field),
    tie_word_embeddings: !file.names.includes("lm_head.weight"),
    eos_token_id: stopIds(metadata),
  };
}

/** Epsilon of the architecture's norm: LayerNorm or RMSNorm. */
function normEpsilon(type: string, field: (name: string) => GgufValue | undefined): Record<string, unknown> {
  const [layer, rms] = [field("attention.layer_norm_epsilon"), field("attention.layer_norm_rms_epsilon")];
  if (type === "bert") return { layer_norm_eps: layer };
  return type.startsWith("gpt") ? { layer_norm_epsilon: layer } : { rms_norm_eps: rms };
}

function hiddenSizes(type: string, field: (name: string) => GgufValue | undefined): Record<string, unknown> {
  const [length, expertLength] = [field("feed_forward_length"), field("expert_feed_forward_length")];
  if (type === "qwen3_moe") return { intermediate_size: length, moe_intermediate_size: expertLength };
  return { intermediate_size: type === "mixtral" ? (expertLength ?? length) : length };
}

/** Refuses unread metadata of the architecture, which might affect the result. */
function refuseUnknownFields(
  file: ReadFile,
  prefix: string,
  metadata: GgufHeader["metadata"],
  readFields: ReadonlySet<string>,
): void {
  for (const [name, value] of metadata) {
    const key = name.startsWith(prefix) ? name.slice(prefix.length) : undefined;
    if (key === undefined || readFields.has(key) || keysWithoutEffect.has(key)) continue;
    fileChecks(file).refuse({
      argument: name,
      received: value,
      expected: "no such field",
      fix: `qkv does not know the field \`${key}\` of ${prefix.slice(0, -1)}. Load the model from the layout of Hugging Face, if qkv supports it there.`,
    });
  }
}

/**
 * Layer types by pattern: a number n means that every n-th layer has full attention; a list is true for sliding
 * layers.
 */
function layerTypes(pattern: GgufValue, count: number): string[] {
  const isSliding = (i: number) =>
    Array.isArray(pattern)
      ? Boolean(pattern[i])
      : Number(pattern) === 0 || i % Number(pattern) < Number(pattern) - 1;
  return Array.from({ length: count }, (_, i) => (isSliding(i) ? "sliding_attention" : "full_attention"));
}

const fileChecks = ({ name, fn }: ReadFile) =>
  checks(fn, { source: name, fix: "choose a model of one of these architectures." }, FormatError);
