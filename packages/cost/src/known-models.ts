/** A published model: its name, its year, and the fields of its `config.json` that determine its cost. */
export type KnownModel = {
  /** Unique, in kebab-case. */
  readonly id: string;
  readonly name: string;
  /** Year of the release. */
  readonly year: number;
  /** Configuration for `readConfig`. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Number of its published weights. Absent: not looked up. */
  readonly parameters?: number;
};

/**
 * Models published since 2018, with the sizes of their configurations.
 *
 * @example
 * ```ts
 * import { kvCache, readConfig } from "@qkv/cost";
 * import { knownModels } from "@qkv/cost/models";
 *
 * const { config } = knownModels.find(({ id }) => id === "llama-3.1-8b")!;
 * kvCache(readConfig(config)).bytesPerToken; // => 131072
 * ```
 */
export const knownModels: readonly KnownModel[] = /* @__PURE__ */ published();

/** Width, layers, query heads, key-value heads, hidden width, vocabulary, longest sequence. */
type Sizes = readonly [number, number, number, number, number, number, number];

/** Builds the table. A function, so that bundlers can drop an unused table. */
function published(): KnownModel[] {
  const models: KnownModel[] = [];
  const add = (
    id: string,
    name: string,
    year: number,
    model_type: string,
    [width, layers, heads, kvHeads, hidden, vocabulary, positions]: Sizes,
    extra: Record<string, unknown>,
    parameters?: number,
  ) => {
    const config = {
      model_type,
      hidden_size: width,
      num_hidden_layers: layers,
      num_attention_heads: heads,
      num_key_value_heads: kvHeads,
      intermediate_size: hidden,
      vocab_size: vocabulary,
      max_position_embeddings: positions,
      ...extra,
    };
    models.push({ id, name, year, config, ...(parameters !== undefined && { parameters }) });
  };
  const tied = { tie_word_embeddings: true };

  // Encoders and encoder-decoders.
  add("bert-base", "BERT base", 2018, "bert", [768, 12, 12, 12, 3072, 30522, 512], {}, 109482240);
  add(
    "roberta-base",
    "RoBERTa base",
    2019,
    "roberta",
    [768, 12, 12, 12, 3072, 50265, 514],
    { type_vocab_size: 1 },
    124645632,
  );
  add(
    "modernbert-base",
    "ModernBERT base",
    2024,
    "modernbert",
    [768, 22, 12, 12, 1152, 50368, 8192],
    { local_attention: 128, global_attn_every_n_layers: 3 },
    149014272,
  );
  add(
    "distilbert-base",
    "DistilBERT base",
    2019,
    "distilbert",
    [768, 6, 12, 12, 3072, 30522, 512],
    {},
    66362880,
  );
  add("albert-base-v2", "ALBERT base v2", 2019, "albert", [768, 12, 12, 12, 3072, 30000, 512], {}, 11683584);
  const electraSmall = { embedding_size: 128 };
  add(
    "electra-small",
    "ELECTRA small",
    2020,
    "electra",
    [256, 12, 4, 4, 1024, 30522, 512],
    electraSmall,
    13483008,
  );
  add("minilm-l6-v2", "MiniLM L6 v2", 2021, "bert", [384, 6, 12, 12, 1536, 30522, 512], {}, 22713216);
  add("mpnet-base-v2", "MPNet base v2", 2021, "mpnet", [768, 12, 12, 12, 3072, 30527, 514], {}, 109486464);
  add(
    "nomic-embed-text-v1.5",
    "Nomic Embed Text v1.5",
    2024,
    "nomic_bert",
    [768, 12, 12, 12, 3072, 30528, 2048],
    {},
    136731648,
  );
  add("t5-base", "T5 base", 2019, "t5", [768, 12, 12, 12, 3072, 32128, 512], { d_kv: 64 }, 222903552);
  const bart = { decoder_attention_heads: 12, decoder_layers: 6, decoder_ffn_dim: 3072 };
  add("bart-base", "BART base", 2019, "bart", [768, 6, 12, 12, 3072, 50265, 1024], bart, 139420416);
  const gated = { d_kv: 64, feed_forward_proj: "gated-gelu", tie_word_embeddings: false };
  add("flan-t5-small", "Flan-T5 small", 2022, "t5", [512, 8, 6, 6, 1024, 32128, 512], gated, 76961152);
  const marian = {
    decoder_attention_heads: 8,
    decoder_layers: 6,
    decoder_ffn_dim: 2048,
    scale_embedding: true,
  };
  add("opus-mt-en-de", "OPUS-MT English–German", 2020, "marian", [512, 6, 8, 8, 2048, 58101, 512], marian);
  const m2m = {
    decoder_attention_heads: 16,
    decoder_layers: 12,
    decoder_ffn_dim: 4096,
    scale_embedding: true,
  };
  add("m2m100-418m", "M2M-100 418M", 2020, "m2m_100", [1024, 12, 16, 16, 4096, 128112, 1024], m2m, 483905536);
  add(
    "nllb-200-600m",
    "NLLB-200 distilled 600M",
    2022,
    "m2m_100",
    [1024, 12, 16, 16, 4096, 256206, 1024],
    m2m,
    615073792,
  );
  const whisperAudio = { num_mel_bins: 80, max_source_positions: 1500, max_target_positions: 448 };
  const whisperConfig = (width: number, layers: number, heads: number, decoderLayers = layers) => ({
    ...whisperAudio,
    ...{ decoder_attention_heads: heads, decoder_layers: decoderLayers, decoder_ffn_dim: 4 * width },
  });
  add(
    "whisper-tiny",
    "Whisper tiny",
    2022,
    "whisper",
    [384, 4, 6, 6, 1536, 51865, 448],
    whisperConfig(384, 4, 6),
    37760640,
  );
  add(
    "whisper-base",
    "Whisper base",
    2022,
    "whisper",
    [512, 6, 8, 8, 2048, 51865, 448],
    whisperConfig(512, 6, 8),
    72593920,
  );
  add(
    "whisper-small",
    "Whisper small",
    2022,
    "whisper",
    [768, 12, 12, 12, 3072, 51865, 448],
    whisperConfig(768, 12, 12),
    241734912,
  );
  add(
    "whisper-large-v3-turbo",
    "Whisper large v3 turbo",
    2024,
    "whisper",
    [1280, 32, 20, 20, 5120, 51866, 448],
    { ...whisperConfig(1280, 32, 20, 4), num_mel_bins: 128 },
    808878080,
  );
  const moonshine = (layers: number, partial_rotary_factor: number) => ({
    ...{ decoder_num_hidden_layers: layers, decoder_num_attention_heads: 8, partial_rotary_factor },
  });
  add(
    "moonshine-tiny",
    "Moonshine tiny",
    2024,
    "moonshine",
    [288, 6, 8, 8, 1152, 32768, 194],
    moonshine(6, 0.9),
    27092736,
  );
  add(
    "moonshine-base",
    "Moonshine base",
    2024,
    "moonshine",
    [416, 8, 8, 8, 1664, 32768, 194],
    moonshine(8, 0.62),
    61513920,
  );
  const whisper = {
    decoder_attention_heads: 20,
    decoder_layers: 32,
    decoder_ffn_dim: 5120,
    num_mel_bins: 80,
    max_source_positions: 1500,
    max_target_positions: 448,
  };
  add(
    "whisper-large-v2",
    "Whisper large v2",
    2022,
    "whisper",
    [1280, 32, 20, 20, 5120, 51865, 448],
    whisper,
    1543304960,
  );

  // Image encoders and dual encoders.
  const addVisionModel = (
    id: string,
    name: string,
    year: number,
    config: Readonly<Record<string, unknown>>,
    parameters?: number,
  ) => models.push({ id, name, year, config, ...(parameters !== undefined && { parameters }) });
  const base = { hidden_size: 768, num_hidden_layers: 12, num_attention_heads: 12, intermediate_size: 3072 };
  addVisionModel(
    "vit-base",
    "ViT base",
    2020,
    { model_type: "vit", ...base, image_size: 224, patch_size: 16 },
    86389248,
  );
  const dinov2 = {
    model_type: "dinov2",
    image_size: 518,
    patch_size: 14,
    mlp_ratio: 4,
    num_hidden_layers: 12,
  };
  addVisionModel(
    "dinov2-small",
    "DINOv2 small",
    2023,
    { ...dinov2, hidden_size: 384, num_attention_heads: 6 },
    22056576,
  );
  addVisionModel(
    "dinov2-base",
    "DINOv2 base",
    2023,
    { ...dinov2, hidden_size: 768, num_attention_heads: 12 },
    86580480,
  );
  addVisionModel(
    "clip-vit-base-32",
    "CLIP ViT-B/32",
    2021,
    {
      model_type: "clip",
      projection_dim: 512,
      text_config: {
        ...{ hidden_size: 512, num_hidden_layers: 12, num_attention_heads: 8, intermediate_size: 2048 },
        ...{ vocab_size: 49408, max_position_embeddings: 77 },
      },
      vision_config: { ...base, image_size: 224, patch_size: 32 },
    },
    151277313,
  );
  addVisionModel(
    "siglip-base-16",
    "SigLIP base",
    2023,
    {
      model_type: "siglip",
      text_config: { ...base, vocab_size: 32000, max_position_embeddings: 64 },
      vision_config: { ...base, image_size: 224, patch_size: 16 },
    },
    203155970,
  );

  // GPT-2 and its successors.
  add("gpt2", "GPT-2", 2019, "gpt2", [768, 12, 12, 12, 3072, 50257, 1024], {}, 124439808);
  add("gpt2-xl", "GPT-2 XL", 2019, "gpt2", [1600, 48, 25, 25, 6400, 50257, 1024], {}, 1557611200);
  add(
    "gpt-neo-1.3b",
    "GPT-Neo 1.3B",
    2021,
    "gpt_neo",
    [2048, 24, 16, 16, 8192, 50257, 2048],
    { window_size: 256 },
    1315575808,
  );
  add(
    "gpt-j-6b",
    "GPT-J 6B",
    2021,
    "gptj",
    [4096, 28, 16, 16, 16384, 50400, 2048],
    { rotary_dim: 64 },
    6050882784,
  );
  add(
    "gpt-neox-20b",
    "GPT-NeoX 20B",
    2022,
    "gpt_neox",
    [6144, 44, 64, 64, 24576, 50432, 2048],
    {},
    20554567680,
  );
  add(
    "opt-13b",
    "OPT 13B",
    2022,
    "opt",
    [5120, 40, 40, 40, 20480, 50272, 2048],
    { word_embed_proj_dim: 5120 },
    12853473280,
  );
  add(
    "bloom-176b",
    "BLOOM 176B",
    2022,
    "bloom",
    [14336, 70, 112, 112, 57344, 250880, 2048],
    {},
    176247271424,
  );
  add("mpt-7b", "MPT 7B", 2023, "mpt", [4096, 32, 32, 32, 16384, 50432, 2048], {}, 6649286656);
  const falcon = { multi_query: true, parallel_attn: true, bias: false };
  add("falcon-7b", "Falcon 7B", 2023, "falcon", [4544, 32, 71, 1, 18176, 65024, 2048], falcon, 6921720704);
  add(
    "falcon-40b",
    "Falcon 40B",
    2023,
    "falcon",
    [8192, 60, 128, 8, 32768, 65024, 2048],
    { new_decoder_architecture: true, bias: false },
    41303293952,
  );
  add(
    "starcoder",
    "StarCoder",
    2023,
    "gpt_bigcode",
    [6144, 40, 48, 1, 24576, 49152, 8192],
    { multi_query: true },
    15517456384,
  );
  add(
    "starcoder2-3b",
    "StarCoder2 3B",
    2024,
    "starcoder2",
    [3072, 30, 24, 2, 12288, 49152, 16384],
    { use_bias: true, sliding_window: 4096 },
    3030371328,
  );
  add(
    "stablelm-3b",
    "StableLM 3B",
    2023,
    "stablelm",
    [2560, 32, 32, 32, 6912, 50304, 4096],
    { use_qkv_bias: false },
    2795443200,
  );

  // Llama and its family.
  add("llama-2-7b", "Llama 2 7B", 2023, "llama", [4096, 32, 32, 32, 11008, 32000, 4096], {}, 6738415616);
  add("llama-2-70b", "Llama 2 70B", 2023, "llama", [8192, 80, 64, 8, 28672, 32000, 4096], {}, 68976648192);
  add(
    "llama-3.1-8b",
    "Llama 3.1 8B",
    2024,
    "llama",
    [4096, 32, 32, 8, 14336, 128256, 131072],
    {},
    8030261248,
  );
  add(
    "llama-3.1-70b",
    "Llama 3.1 70B",
    2024,
    "llama",
    [8192, 80, 64, 8, 28672, 128256, 131072],
    {},
    70553706496,
  );
  add(
    "llama-3.1-405b",
    "Llama 3.1 405B",
    2024,
    "llama",
    [16384, 126, 128, 8, 53248, 128256, 131072],
    {},
    405853388800,
  );
  add(
    "llama-3.2-1b",
    "Llama 3.2 1B",
    2024,
    "llama",
    [2048, 16, 32, 8, 8192, 128256, 131072],
    { head_dim: 64, ...tied },
    1235814400,
  );
  add(
    "llama-4-scout",
    "Llama 4 Scout",
    2025,
    "llama4_text",
    [5120, 48, 40, 8, 8192, 202048, 10485760],
    {
      head_dim: 128,
      intermediate_size_mlp: 16384,
      num_local_experts: 16,
      num_experts_per_tok: 1,
      interleave_moe_layer_step: 1,
      attention_chunk_size: 8192,
    },
    107769861120,
  );
  add("smollm-135m", "SmolLM 135M", 2024, "llama", [576, 30, 9, 3, 1536, 49152, 2048], tied, 134515008);
  add("smollm3-3b", "SmolLM3 3B", 2025, "smollm3", [2048, 36, 16, 4, 11008, 128256, 65536], tied, 3075098624);
  add("olmo-1b", "OLMo 1B", 2024, "olmo", [2048, 16, 16, 16, 8192, 50304, 2048], tied, 1176764416);
  add("olmo-2-7b", "OLMo 2 7B", 2024, "olmo2", [4096, 32, 32, 32, 11008, 100352, 4096], {}, 7298617344);
  add(
    "olmo-3-7b",
    "Olmo 3 7B",
    2025,
    "olmo3",
    [4096, 32, 32, 32, 11008, 100278, 65536],
    { sliding_window: 4096 },
    7298011136,
  );

  // Mistral.
  add(
    "mistral-7b",
    "Mistral 7B v0.1",
    2023,
    "mistral",
    [4096, 32, 32, 8, 14336, 32000, 32768],
    { sliding_window: 4096 },
    7241732096,
  );
  add(
    "mixtral-8x7b",
    "Mixtral 8x7B",
    2023,
    "mixtral",
    [4096, 32, 32, 8, 14336, 32000, 32768],
    { num_local_experts: 8, num_experts_per_tok: 2 },
    46702792704,
  );
  add(
    "mistral-nemo-12b",
    "Mistral NeMo 12B",
    2024,
    "mistral",
    [5120, 40, 32, 8, 14336, 131072, 131072],
    { head_dim: 128 },
    12247782400,
  );

  // Gemma.
  const head256 = { head_dim: 256 };
  add("gemma-2b", "Gemma 2B", 2024, "gemma", [2048, 18, 8, 1, 16384, 256000, 8192], head256, 2506172416);
  add(
    "gemma-2-2b",
    "Gemma 2 2B",
    2024,
    "gemma2",
    [2304, 26, 8, 4, 9216, 256000, 8192],
    { ...head256, sliding_window: 4096 },
    2614341888,
  );
  add(
    "gemma-2-9b",
    "Gemma 2 9B",
    2024,
    "gemma2",
    [3584, 42, 16, 8, 14336, 256000, 8192],
    { ...head256, sliding_window: 4096 },
    9241705984,
  );
  add(
    "gemma-3-1b",
    "Gemma 3 1B",
    2025,
    "gemma3_text",
    [1152, 26, 4, 1, 6912, 262144, 32768],
    { ...head256, sliding_window: 512 },
    999885952,
  );
  add("gemma-3-4b", "Gemma 3 4B", 2025, "gemma3_text", [2560, 34, 8, 4, 10240, 262208, 131072], {
    ...head256,
    sliding_window: 1024,
  });
  add("gemma-3-27b", "Gemma 3 27B", 2025, "gemma3_text", [5376, 62, 32, 16, 21504, 262144, 131072], {
    head_dim: 128,
    sliding_window: 1024,
  });

  // Phi.
  add(
    "phi-2",
    "Phi-2",
    2023,
    "phi",
    [2560, 32, 32, 32, 10240, 51200, 2048],
    { partial_rotary_factor: 0.4 },
    2779683840,
  );
  add("phi-3.5-mini", "Phi-3.5 mini", 2024, "phi3", [3072, 32, 32, 32, 8192, 32064, 131072], {}, 3821079552);
  add("phi-4", "Phi-4 14B", 2024, "phi3", [5120, 40, 40, 10, 17920, 100352, 16384], {}, 14659507200);

  // Qwen.
  add("qwen2.5-0.5b", "Qwen2.5 0.5B", 2024, "qwen2", [896, 24, 14, 2, 4864, 151936, 32768], tied, 494032768);
  add("qwen2.5-72b", "Qwen2.5 72B", 2024, "qwen2", [8192, 80, 64, 8, 29568, 152064, 131072], {}, 72706203648);
  add(
    "qwen3-0.6b",
    "Qwen3 0.6B",
    2025,
    "qwen3",
    [1024, 28, 16, 8, 3072, 151936, 40960],
    { head_dim: 128, ...tied },
    596049920,
  );
  add(
    "qwen3-8b",
    "Qwen3 8B",
    2025,
    "qwen3",
    [4096, 36, 32, 8, 12288, 151936, 40960],
    { head_dim: 128 },
    8190735360,
  );
  const qwenExperts = { head_dim: 128, num_experts: 128, num_experts_per_tok: 8 };
  add(
    "qwen3-30b-a3b",
    "Qwen3 30B-A3B",
    2025,
    "qwen3_moe",
    [2048, 48, 32, 4, 6144, 151936, 40960],
    { ...qwenExperts, moe_intermediate_size: 768 },
    30532122624,
  );
  add(
    "qwen3-235b-a22b",
    "Qwen3 235B-A22B",
    2025,
    "qwen3_moe",
    [4096, 94, 64, 4, 12288, 151936, 40960],
    { ...qwenExperts, moe_intermediate_size: 1536 },
    235093634560,
  );
  add(
    "qwen3-next-80b-a3b",
    "Qwen3-Next 80B-A3B",
    2025,
    "qwen3_next",
    [2048, 48, 16, 2, 5120, 151936, 262144],
    {
      head_dim: 256,
      moe_intermediate_size: 512,
      shared_expert_intermediate_size: 512,
      num_experts: 512,
      num_experts_per_tok: 10,
      full_attention_interval: 4,
      linear_num_key_heads: 16,
      linear_num_value_heads: 32,
      linear_key_head_dim: 128,
      linear_value_head_dim: 128,
    },
    79674391296,
  );

  // DeepSeek and Kimi: latent attention.
  const latent = { kv_lora_rank: 512, qk_nope_head_dim: 128, qk_rope_head_dim: 64, v_head_dim: 128 };
  add(
    "deepseek-v2-lite",
    "DeepSeek-V2-Lite",
    2024,
    "deepseek_v2",
    [2048, 27, 16, 16, 10944, 102400, 163840],
    {
      ...latent,
      q_lora_rank: null,
      moe_intermediate_size: 1408,
      n_routed_experts: 64,
      n_shared_experts: 2,
      num_experts_per_tok: 6,
      first_k_dense_replace: 1,
    },
    15706484224,
  );
  add(
    "deepseek-v3",
    "DeepSeek-V3",
    2024,
    "deepseek_v3",
    [7168, 61, 128, 128, 18432, 129280, 163840],
    {
      ...latent,
      q_lora_rank: 1536,
      moe_intermediate_size: 2048,
      n_routed_experts: 256,
      n_shared_experts: 1,
      num_experts_per_tok: 8,
      first_k_dense_replace: 3,
    },
    671026419200,
  );
  add("kimi-k2", "Kimi K2", 2025, "kimi_k2", [7168, 61, 64, 64, 18432, 163840, 131072], {
    ...latent,
    q_lora_rank: 1536,
    moe_intermediate_size: 2048,
    n_routed_experts: 384,
    n_shared_experts: 1,
    num_experts_per_tok: 8,
    first_k_dense_replace: 1,
  });

  // Alternating sliding-window and full attention.
  add("command-r", "Command R", 2024, "cohere", [8192, 40, 64, 64, 22528, 256000, 131072], {}, 34980831232);
  add(
    "command-r7b",
    "Command R7B",
    2024,
    "cohere2",
    [4096, 32, 32, 8, 14336, 256000, 132096],
    { sliding_window: 4096, sliding_window_pattern: 4 },
    8028033024,
  );
  const gptOss = { head_dim: 64, num_experts_per_tok: 4, sliding_window: 128, tie_word_embeddings: false };
  add(
    "gpt-oss-20b",
    "gpt-oss-20b",
    2025,
    "gpt_oss",
    [2880, 24, 64, 8, 2880, 201088, 131072],
    { ...gptOss, num_local_experts: 32 },
    20914757184,
  );
  add(
    "gpt-oss-120b",
    "gpt-oss-120b",
    2025,
    "gpt_oss",
    [2880, 36, 64, 8, 2880, 201088, 131072],
    { ...gptOss, num_local_experts: 128 },
    116829156672,
  );
  return models.sort((a, b) => a.year - b.year || a.name.localeCompare(b.name, "en"));
}
