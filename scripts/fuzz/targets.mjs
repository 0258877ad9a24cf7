// All readers of third-party files, each with valid files to mutate. The files are small, so that most mutations hit a byte
// that is read.

import { File } from "node:buffer";
import { crc32 } from "node:zlib";
import { referenceData } from "../../conformance/reference-data.mjs";
import { base64, f32, ggufFile, json, protobufField, textOf, u32, utf8 } from "./bytes.mjs";

/** Files of the reference data, written by other software. */
const real = (...names) => names.map((name) => referenceData.bytes(name));

const load = (path) => import(`../../packages/${path}.js`);
/** Texts to encode with a loaded tokenizer. The long ones make a regular expression with catastrophic backtracking hang. */
const texts = ["hi there, ki", `${"a".repeat(40)}${"1".repeat(40)}${" ".repeat(40)}!\n`, "a".repeat(2000)];
const use = (tokenizer) => texts.map((text) => tokenizer.decode(tokenizer.encode(text)));
/** `use`, and a pair of texts with their offsets and type ids. */
const useWithPair = (tokenizer) => {
  use(tokenizer);
  return tokenizer.encoding("hi", { pair: "ki" });
};

/** Calls all readers. Throws a reader's error if all refuse the bytes, or if one throws another than a QkvError. */
const readWithAll =
  (...readers) =>
  async (bytes) => {
    const { isQkvError } = await load("core/dist/index");
    const refusals = [];
    for (const read of readers) {
      try {
        await read(bytes);
      } catch (error) {
        refusals.push(error);
        if (!isQkvError(error)) throw error;
      }
    }
    if (refusals.length === readers.length) throw refusals[0];
  };

const pieces = ["<unk>", "<s>", "</s>", "▁", "h", "i", "▁hi", "k", "ki"];
const types = pieces.map((_, i) => [2, 3, 3][i] ?? 1);
const tensors = [
  ["token_embd.weight", 4, pieces.length],
  ["output_norm.weight", 4],
  ...["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"].map((name) => [
    `blk.0.${name}.weight`,
    ...[4, 4],
  ]),
  ...["attn_norm", "ffn_norm"].map((name) => [`blk.0.${name}.weight`, 4]),
];
/** A model of one layer of width 4, and its vocabulary. */
const gguf = ggufFile(
  [
    ["general.architecture", 8, "llama"],
    ["llama.block_count", 4, 1],
    ["llama.embedding_length", 4, 4],
    ["llama.feed_forward_length", 4, 4],
    ["llama.attention.head_count", 4, 2],
    ["llama.attention.layer_norm_rms_epsilon", 6, 1e-5],
    ["llama.context_length", 4, 8],
    ["tokenizer.ggml.model", 8, "llama"],
    ["tokenizer.ggml.tokens", 9, [8, pieces]],
    ["tokenizer.ggml.scores", 9, [6, pieces.map((_, i) => -i)]],
    ["tokenizer.ggml.token_type", 9, [5, types]],
    ["tokenizer.ggml.bos_token_id", 4, 1],
    ["tokenizer.ggml.eos_token_id", 4, 2],
  ],
  tensors.map(([name, ...dims], i) => ({ name, dims, type: 0, offset: 160 * i })),
  Array(160 * tensors.length).fill(0),
);

const sentencePiece = (kind) =>
  Uint8Array.from([
    ...pieces.flatMap((piece, i) =>
      protobufField(1, [
        ...protobufField(1, piece),
        ...protobufField(2, { float: -i }),
        ...protobufField(3, types[i]),
      ]),
    ),
    ...protobufField(2, protobufField(3, kind)),
    ...protobufField(
      3,
      [3, 4, 5].flatMap((id) => protobufField(id, 1)),
    ),
  ]);

const tokenizerJson = json({
  added_tokens: [{ id: 5, content: "<s>", special: true, lstrip: true, normalized: false }],
  normalizer: {
    type: "Sequence",
    normalizers: [
      { type: "NFKC" },
      { type: "Lowercase" },
      { type: "Replace", pattern: { Regex: " {2,}" }, content: " " },
    ],
  },
  pre_tokenizer: {
    type: "Sequence",
    pretokenizers: [
      { type: "Split", pattern: { Regex: "\\p{L}+|[^\\s]+|\\s+" }, behavior: "Isolated" },
      { type: "ByteLevel", add_prefix_space: false, use_regex: false },
    ],
  },
  model: {
    type: "BPE",
    vocab: { h: 0, i: 1, hi: 2, t: 3, Ġ: 4 },
    merges: ["h i"],
    unk_token: null,
    byte_fallback: false,
  },
  post_processor: {
    type: "TemplateProcessing",
    single: [{ SpecialToken: { id: "<s>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
    pair: [],
    special_tokens: { "<s>": { id: "<s>", ids: [5], tokens: ["<s>"] } },
  },
  decoder: { type: "ByteLevel" },
});
const unigramJson = json({
  model: {
    type: "Unigram",
    unk_id: 0,
    vocab: [
      ["<unk>", 0],
      ["▁", -1],
      ["hi", -2],
      ["▁hi", -1.5],
    ],
  },
  pre_tokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme: "always" },
});

const config = {
  model_type: "llama",
  hidden_size: 64,
  intermediate_size: 128,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 100,
  max_position_embeddings: 128,
  rope_theta: 10000,
  rope_scaling: { rope_type: "linear", factor: 2 },
};

/** A saved cache with its checksum recomputed, if it has one, as an attacker would do it. */
function withChecksum(bytes) {
  const name = '"checksum":"';
  const at = Buffer.from(bytes).indexOf(name) + name.length;
  if (at < name.length || at + 8 > bytes.length) return bytes;
  const out = bytes.slice();
  out.fill(48, at, at + 8);
  out.set(utf8(crc32(out).toString(16).padStart(8, "0")), at);
  return out;
}

const { Headers, ReadableStream, Response } = globalThis;

/**
 * A replacement of `fetch` that serves a file as a JSON description says: right, or with a wrong length, status or header.
 *
 * @param {Uint8Array} file
 * @param {Uint8Array} bytes - The description. If it is no valid JSON, the body of the response.
 */
function fakeFetch(file, bytes) {
  let spec = {};
  let body = file;
  try {
    spec = Object(JSON.parse(textOf(bytes)));
  } catch {
    body = bytes;
  }
  const integerOrZero = (value) => (Number.isSafeInteger(value) ? value : 0);
  let requests = 0;
  return async (_url, { headers: requestHeaders, signal }) => {
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(new Headers(requestHeaders).get("range") ?? "") ?? [];
    const isRange = first !== undefined && spec.status === 206;
    const status = [404, 416, 500].includes(spec.status) ? spec.status : isRange ? 206 : 200;
    const from = isRange ? Number(first) : 0;
    const end = isRange ? Math.min(Number(last) + 1, body.length) : body.length;
    const headers = new Headers();
    if (isRange) {
      const total = spec.total ? String(spec.total).replace(/[^\w*-]/g, "") : body.length;
      headers.set("content-range", `bytes ${from + integerOrZero(spec.shift)}-${end - 1}/${total}`);
    }
    let left = spec.endless === true ? Infinity : Math.max(0, end - from + integerOrZero(spec.extra));
    if (Number.isSafeInteger(spec.stated)) headers.set("content-length", String(end - from + spec.stated));
    if (/^\w+$/.test(spec.encoding)) headers.set("content-encoding", spec.encoding);
    if (spec.changed === true) headers.set("etag", `"${(requests += 1)}"`);
    let at = from;
    const stream = new ReadableStream({
      start: (controller) => signal.addEventListener("abort", () => controller.error(signal.reason)),
      pull(controller) {
        if (spec.silent === true) return new Promise(() => {});
        if (left <= 0) return controller.close();
        const chunk = new Uint8Array(Math.min(left, 2 ** 16));
        chunk.set(body.subarray(at, at + chunk.length));
        [at, left] = [at + chunk.length, left - chunk.length];
        return controller.enqueue(chunk);
      },
    });
    return new Response(stream, { status, headers });
  };
}

export const targets = {
  async answers() {
    const { openSafetensors, readSafetensors, writeSafetensors } = await load("tensor/dist/safetensors");
    const { zeros } = await load("tensor/dist/index");
    const file = await writeSafetensors({ a: zeros([30_000]), b: zeros([2]) });
    const limits = { maxBytes: 2 ** 20, idleTimeoutMs: 2 };
    const read = readWithAll(
      async () => {
        const opened = await openSafetensors("http://host/x", limits);
        for (const name of opened.names) await opened.get(name);
      },
      () => readSafetensors("http://host/x", limits),
    );
    return {
      files: [json({ status: 206 }), json({ status: 206, stated: 0, changed: false })],
      read: async (bytes) => {
        globalThis.fetch = fakeFetch(file, bytes);
        await read(bytes);
      },
    };
  },
  async safetensors() {
    const { writeSafetensors, readSafetensors } = await load("tensor/dist/safetensors");
    const { tensor } = await load("tensor/dist/index");
    const file = await writeSafetensors({ a: tensor([1, 2, 3]), b: tensor([[true], [false]]) });
    return {
      files: [file],
      real: real("models/tiny-bert-random/model.safetensors"),
      read: (bytes) => readSafetensors(bytes),
    };
  },
  async gguf() {
    const { readGgufHeader } = await load("core/dist/index");
    const { ggufTokenizer } = await load("tokenizer/dist/index");
    const { load: loadModel } = await load("transformer/dist/index");
    return {
      files: [gguf],
      real: real("tokenizers/vocab/gguf/bert-bge.gguf", "tokenizers/vocab/gguf/phi-3.gguf"),
      read: readWithAll(
        (bytes) => [readGgufHeader(bytes), use(ggufTokenizer(bytes))],
        async (bytes) => {
          const model = await loadModel(bytes);
          return model.apply(model.params, [0]);
        },
      ),
    };
  },
  async sentencepiece() {
    const { sentencePieceTokenizer } = await load("tokenizer/dist/index");
    return {
      files: [1, 2, 3, 4].map(sentencePiece),
      real: real("tokenizers/vocab/spm-unigram-1k-en/spm.model"),
      read: (bytes) => use(sentencePieceTokenizer(bytes)),
    };
  },
  async "tokenizer.json"() {
    const { tokenizerFromJson } = await load("tokenizer/dist/index");
    return {
      files: [tokenizerJson, unigramJson],
      real: real("models/tiny-bert-random/tokenizer.json"),
      read: (bytes) => useWithPair(tokenizerFromJson(bytes)),
    };
  },
  async tiktoken() {
    const { loadTokenizer } = await load("tokenizer/dist/index");
    const ranks = [...Array.from({ length: 256 }, (_, byte) => [byte]), [104, 105]];
    const file = utf8(ranks.map((token, rank) => `${base64(token)} ${rank}\n`).join(""));
    return { files: [file], read: (bytes) => use(loadTokenizer({ "cl100k_base.tiktoken": bytes })) };
  },
  async wordpiece() {
    const { bertTokenizer } = await load("tokenizer/dist/index");
    const file = utf8("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhi\n##gh\nthere\n,\n");
    return {
      files: [file],
      real: real("models/tiny-bert-random/vocab.txt"),
      read: (bytes) => use(bertTokenizer(bytes)),
    };
  },
  async "llama2.c"() {
    const { readLlama2c } = await load("transformer/dist/index");
    const { llama2cTokenizer } = await load("tokenizer/dist/index");
    const byteTokens = [
      "<unk>",
      "<s>",
      "</s>",
      ...Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, "0")}>`),
      "hi",
    ];
    const vocabulary = Uint8Array.from([
      ...u32(6),
      ...byteTokens.flatMap((token) => [...f32(0), ...u32(utf8(token).length), ...utf8(token)]),
    ]);
    const [dim, hidden, layers, heads, kv, vocab, length] = [4, 4, 1, 2, 1, 3, 2];
    const floats =
      vocab * dim +
      layers * (dim + dim * dim + 2 * dim * (kv * (dim / heads)) + dim * dim + dim + 3 * dim * hidden) +
      dim +
      length * (dim / heads);
    const checkpoint = Uint8Array.from([
      ...[dim, hidden, layers, heads, kv, vocab, length].flatMap(u32),
      ...Array(4 * floats).fill(0),
    ]);
    const isCheckpoint = (bytes) => bytes.length < 1000;
    const read = (bytes) =>
      isCheckpoint(bytes) ? readLlama2c(bytes, { source: "file" }) : use(llama2cTokenizer(bytes));
    return { files: [checkpoint, vocabulary], real: real("models/stories260K/tok512.bin"), read };
  },
  async cache() {
    const { growingCache, rollingCache, pagedCache, quantizedCache } = await load("kv-cache/dist/index");
    const { randn } = await load("tensor/dist/index");
    const { isQkvError } = await load("core/dist/index");
    const caches = [
      () => growingCache({ numLayers: 1 }),
      () => rollingCache({ numLayers: 1, windowSize: 3 }),
      () => pagedCache({ numLayers: 1, pages: 4, pageLength: 2 }),
      () => quantizedCache({ numLayers: 1 }),
    ];
    const files = caches.map((emptyCache) => {
      const cache = emptyCache();
      cache.update(0, randn([1, 1, 4, 4], { seed: 1 }), randn([1, 1, 4, 4], { seed: 2 }));
      return cache.save();
    });
    const read = (bytes) => {
      for (const [i, emptyCache] of caches.entries()) {
        const cache = emptyCache();
        try {
          cache.restore(bytes);
        } catch (error) {
          // After a refusal, the cache is unchanged.
          if (cache.length !== 0)
            throw new Error(`cache ${i} has length ${cache.length} after a refusal`, { cause: error });
          if (!isQkvError(error) || i === caches.length - 1) throw error;
        }
      }
    };
    return { files, read: (bytes) => (files.includes(bytes) ? undefined : read(bytes)), mend: withChecksum };
  },
  async "chat template"() {
    const { chatTemplate } = await load("tokenizer/dist/chat");
    const templates = [
      "{% for m in messages %}<|{{ m.role }}|>{{ m.content | trim }}{{ eos_token }}{% endfor %}",
      "{% if messages[0]['role'] == 'system' %}{% set rest = messages[1:] %}{{ messages[0].content }}{% else %}{% set rest = messages %}{% endif %}{% for m in rest if m.content %}{{ loop.index0 ~ m.content }}{% endfor %}",
      "{% macro message(m) %}[{{ m.role | upper }}]{% endmacro %}{% for i in range(3) %}{{ message(messages[0]) }}{% endfor %}",
    ];
    const talk = [{ role: "user", content: "hi" }];
    return {
      files: templates.map(utf8),
      read: (bytes) => chatTemplate(textOf(bytes)).render(talk, { addGenerationPrompt: true }),
    };
  },
  async "config.json"() {
    const { readConfig } = await load("cost/dist/index");
    const { decoder, load: loadModel } = await load("transformer/dist/index");
    const { exportModel, memoryFolder } = await load("transformer/dist/export");
    const small = {
      ...{ vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, numKvHeads: 1 },
      ...{ contextLength: 32, normEps: 1e-5, stopIds: [] },
    };
    const out = memoryFolder();
    await exportModel({ config: small, params: decoder(small).init(1) }, { to: "hf", out });
    const file = (name) => out.files.find((written) => written.name === name);
    const weights = file("model.safetensors");
    return {
      files: [
        new Uint8Array(await file("config.json").arrayBuffer()),
        json(config),
        json({ ...config, model_type: "gpt2", n_embd: 64, n_head: 4, n_layer: 2, n_positions: 16 }),
      ],
      real: real("models/tiny-bert-random/config.json"),
      read: readWithAll(
        async (bytes) => {
          const model = await loadModel([new File([bytes], "config.json"), weights]);
          return model.apply(model.params, [0, 1]);
        },
        (bytes) => readConfig(JSON.parse(textOf(bytes))),
      ),
      refuses: (error) => error instanceof SyntaxError, // the caller calls JSON.parse
    };
  },
};
