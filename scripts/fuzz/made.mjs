// Generators (fast-check) of files that are syntactically valid and have unusual or contradictory contents, for each reader.
import fc from "fast-check";
import { base64, f32, ggufFile, i32, json, protobufField, safetensorsFile, u32, utf8 } from "./bytes.mjs";
import { mostly, near, odd, oddNumber, oddText } from "./odd.mjs";

const small = fc.nat(4);
const few = { maxLength: 5 };
const bytesOf = (most) => fc.uint8Array({ maxLength: most });
const piece = fc.constantFrom("<unk>", "<s>", "</s>", "▁", "h", "i", "▁hi", "k", "ki", "<0x0A>", "a", "!");
const pieces = fc.array(mostly(piece, oddText), { minLength: 1, maxLength: 12 });

/** Members such as `__proto__` to insert after the first brace. */
const evil = fc.constantFrom(
  ...["", "", "", '"__proto__":{"polluted":1},', '"constructor":{"prototype":{"polluted":1}},'],
);
const withEvil = ([text, more]) => text.replace("{", `{${more}`);

/** Number of elements of a shape; values that are not lengths are skipped. */
const sizeOf = (shape) =>
  Array.isArray(shape)
    ? shape.reduce((size, length) => (typeof length === "number" ? size * length : size), 1)
    : 1;

/** Bytes per number of a type; 1 for an unknown type. */
const widthOf = (widths, dtype) =>
  typeof dtype === "string" && Object.hasOwn(widths, dtype) ? widths[dtype] : 1;

/** A shape with a 0 and a huge length: no bytes of data are needed. */
const emptyShape = fc
  .tuple(fc.constantFrom(1, 2 ** 20, 2 ** 31, 2 ** 45, 2 ** 53 - 1), fc.nat(2))
  .map(([large, at]) => [1, 1, large].toSpliced(at, 0, 0));

/** A header that fits its data or almost does: consecutive offsets, with an occasional gap or overlap. */
const safetensorsHeader = fc
  .array(
    fc.record({
      name: fc.oneof(fc.constantFrom("a", "b", "0.key", "0.value", "__metadata__"), oddText),
      dtype: mostly(fc.constantFrom("F32", "F64", "I8", "U8", "BOOL", "F16", "BF16", "I64", "F8_E4M3")),
      shape: fc.oneof(
        { arbitrary: mostly(fc.array(mostly(small, oddNumber), { maxLength: 4 })), weight: 9 },
        emptyShape,
      ),
      shift: mostly(fc.constant(0), oddNumber),
    }),
    few,
  )
  .map((entries) => {
    const width = { F32: 4, F64: 8, F16: 2, BF16: 2, I64: 8 };
    let end = 0;
    const fields = entries.map(({ name, dtype, shape, shift }) => {
      const start = end;
      const count = sizeOf(shape);
      end += widthOf(width, dtype) * count;
      return [name, { dtype, shape, data_offsets: [typeof shift === "number" ? start + shift : shift, end] }];
    });
    return { fields: Object.fromEntries(fields), data: end };
  });
/** Duplicates of a member name of the header: unchanged, with an escape, or with space before the colon. */
const again = fc.constantFrom(
  ...[undefined, undefined, undefined],
  (name) => `${name}:`,
  (name) => `"\\u${name.charCodeAt(1).toString(16).padStart(4, "0")}${name.slice(2)}:`,
  (name) => `${name}${" ".repeat(40)}\n:`,
);
const withAgain = (text, spell) => {
  const names = text.match(/"(?:[^"\\]|\\.)+":/g);
  const name = spell && names?.[text.length % names.length];
  return name ? text.replace(name, `${spell(name.slice(0, -1))}{},${name}`) : text;
};
/** The number of data bytes that a header claims, if it is small; otherwise 0. */
const room = (claimed) => (Number.isSafeInteger(claimed) && claimed >= 0 && claimed < 4096 ? claimed : 0);
const safetensors = fc
  .tuple(near(safetensorsHeader), evil, mostly(fc.constant(0), fc.integer({ min: -9, max: 9 })), again)
  .map(([made, more, shift, spell]) => {
    const header = withAgain(withEvil([JSON.stringify(made?.fields ?? made) ?? "null", more]), spell);
    return safetensorsFile(header, room(made?.data), utf8(header).length + shift);
  });

const ggufKeys = [
  ["general.architecture", 8, fc.constantFrom("llama", "gpt2", "qwen2", "phi3", "gemma2", "__proto__")],
  ["general.alignment", 4, fc.oneof(fc.constant(32), fc.nat())],
  ["llama.block_count", 4, mostly(fc.constant(1), fc.nat())],
  ["llama.embedding_length", 4, mostly(fc.constant(4), fc.nat())],
  ["llama.feed_forward_length", 4, mostly(fc.constant(4), fc.nat())],
  ["llama.attention.head_count", 4, mostly(fc.constant(2), fc.nat())],
  ["llama.context_length", 4, mostly(fc.constant(8), fc.nat())],
  ["llama.rope.freq_base", 6, fc.float()],
  ["llama.attention.layer_norm_rms_epsilon", 6, mostly(fc.constant(1e-5), fc.float())],
  ["tokenizer.ggml.model", 8, fc.constantFrom("llama", "gpt2", "bert", "t5", "no_vocab", "toString")],
  ["tokenizer.ggml.pre", 8, fc.constantFrom("default", "llama-bpe", "qwen2", "constructor")],
  ["tokenizer.ggml.tokens", 9, pieces.map((each) => [8, each])],
  ["tokenizer.ggml.scores", 9, fc.array(fc.float(), { maxLength: 12 }).map((each) => [6, each])],
  [
    "tokenizer.ggml.token_type",
    9,
    fc
      .array(mostly(fc.integer({ min: 1, max: 6 }), fc.integer()), { maxLength: 12 })
      .map((each) => [5, each]),
  ],
  [
    "tokenizer.ggml.merges",
    9,
    fc.array(fc.constantFrom("h i", "k i", "▁ hi", "h", ""), few).map((e) => [8, e]),
  ],
  ["tokenizer.ggml.bos_token_id", 4, fc.nat(12)],
  ["tokenizer.ggml.eos_token_id", 4, mostly(fc.nat(12), fc.nat())],
  ["tokenizer.ggml.unknown_token_id", 4, fc.nat(12)],
  ["tokenizer.ggml.padding_token_id", 4, fc.nat()],
  ["tokenizer.ggml.add_bos_token", 7, fc.boolean()],
  ["tokenizer.ggml.add_space_prefix", 7, fc.boolean()],
];
const ggufEntry = fc.oneof(
  ...ggufKeys.map(([key, type, value]) => value.map((each) => [key, type, each])),
  fc.tuple(oddText, fc.constant(12), fc.double()),
  fc.tuple(oddText, fc.constant(9), fc.constant([9, [[9, [[9, [[9, [[4, [1]]]]]]]]]])),
  fc
    .tuple(fc.constantFrom(...ggufKeys.map(([key]) => key)), fc.nat(14), fc.nat(300))
    .map(([key, type, n]) => (type === 9 ? [key, 9, [4, [n]]] : [key, type, type === 8 ? String(n) : n])),
);
const ggufTensor = fc.record({
  name: fc.oneof(
    fc.constantFrom("token_embd.weight", "output_norm.weight", "blk.0.attn_q.weight"),
    // All experts of a layer in one tensor.
    fc.constantFrom("blk.0.ffn_gate_exps.weight", "blk.0.ffn_up_exps.weight", "blk.1.ffn_down_exps.bias"),
    oddText,
  ),
  dims: fc.oneof(
    {
      arbitrary: fc.array(mostly(fc.nat(64), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })), { maxLength: 5 }),
      weight: 3,
    },
    emptyShape,
  ),
  type: mostly(fc.constantFrom(0, 1, 2, 8, 12, 30), fc.nat(40)),
  offset: mostly(
    fc.nat(8).map((n) => 32 * n),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  ),
});
/** Removes duplicate keys. */
const single = (entries) => [...new Map(entries.map((entry) => [entry[0], entry])).values()];
/** Most entries of a complete file, each valid or replaced. */
const ggufEntries = fc
  .tuple(
    ...ggufKeys.map(([key, type, value]) =>
      fc.option(mostly(fc.tuple(fc.constant(key), fc.constant(type), value), ggufEntry), { freq: 20 }),
    ),
  )
  .map((entries) => entries.filter((entry) => entry !== null))
  .chain((entries) => mostly(fc.constant(single(entries)), fc.constant(entries)));
const gguf = fc
  .tuple(
    ggufEntries,
    fc.array(ggufTensor, few),
    bytesOf(256),
    mostly(fc.constant({}), fc.record({ version: fc.nat(5), counts: fc.tuple(fc.nat(2), fc.nat(2)) })),
  )
  .map((parts) => ggufFile(...parts));

/** A trie in units of four bytes (SentencePiece's Darts), and the texts that it maps to. */
const precompiledCharsmap = fc
  .tuple(
    fc.array(fc.oneof(fc.nat(255), fc.nat(2 ** 31)), { maxLength: 12 }),
    bytesOf(8),
    mostly(fc.constant(0), small),
  )
  .map(([units, texts, shift]) =>
    Uint8Array.from([...u32(4 * units.length + shift), ...units.flatMap(u32), ...texts, 0]),
  );

const varintValue = mostly(fc.nat(6), fc.bigInt({ min: -1n, max: 2n ** 63n }));
const protobufValue = fc.oneof(
  varintValue,
  fc.float().map((float) => ({ float })),
  bytesOf(24),
  oddText,
);
const sentencePieceSpec = (fields) =>
  fc.array(
    fc.oneof(...Object.entries(fields).map(([id, value]) => fc.tuple(fc.constant(Number(id)), value))),
    few,
  );
const message = (fields) => fields.flatMap(([id, value]) => protobufField(id, value));
const sentencepiece = fc
  .tuple(
    fc.array(
      fc.tuple(mostly(piece, oddText), mostly(fc.float({ min: -20, max: 0 }), fc.float()), varintValue),
      { minLength: 1, maxLength: 14 },
    ),
    sentencePieceSpec({
      3: fc.integer({ min: 1, max: 4 }),
      24: fc.nat(1),
      35: fc.nat(1),
      41: varintValue,
      42: varintValue,
      44: oddText,
      60: protobufValue,
    }),
    sentencePieceSpec({
      2: precompiledCharsmap,
      3: fc.nat(1),
      4: fc.nat(1),
      5: fc.nat(1),
      60: protobufValue,
    }),
    mostly(fc.constant([]), fc.array(fc.tuple(fc.integer({ min: 1, max: 50 }), protobufValue), few)),
  )
  .map(([pieces, trainer, normalizer, more]) =>
    Uint8Array.from([
      ...pieces.flatMap(([text, float, type]) =>
        protobufField(
          1,
          message([
            [1, text],
            [2, { float }],
            [3, type],
          ]),
        ),
      ),
      ...protobufField(2, message(trainer)),
      ...protobufField(3, message(normalizer)),
      ...message(more),
    ]),
  );

/** Regular expressions in Oniguruma's syntax, most of them valid; some take exponential time on rare texts. */
export const pattern = fc.letrec((again) => ({
  atom: fc.oneof(
    {
      arbitrary: fc.constantFrom("a", "1", " ", ".", "अ", "😀", "\\s", "\\d", "\\w", "\\p{L}", "\\p{N}"),
      weight: 6,
    },
    {
      arbitrary: fc.constantFrom("[a-c]", "[^\\s]", "[\\p{L}\\d]", "'s", "\\r?\\n", "\\b", "^", "$"),
      weight: 4,
    },
    { arbitrary: again("choice").map((inner) => `(${inner})`), weight: 2 },
    { arbitrary: again("choice").map((inner) => `(?:${inner})`), weight: 2 },
    {
      arbitrary: fc
        .tuple(fc.constantFrom("?=", "?!", "?<=", "?>", "?i:"), again("choice"))
        .map(([kind, inner]) => `(${kind}${inner})`),
      weight: 1,
    },
    {
      arbitrary: fc.constantFrom(
        "(",
        "[",
        "\\",
        "{",
        "*",
        "\\1",
        "(?<n>a)\\k<n>",
        "\\p{Nope}",
        "[[:alpha:]]",
      ),
      weight: 1,
    },
  ),
  part: fc
    .tuple(
      again("atom"),
      fc.constantFrom(
        "",
        "",
        "",
        "?",
        "*",
        "+",
        "*?",
        "*+",
        "++",
        "{2}",
        "{1,3}",
        "{0,60}",
        "{0,500}",
        "{2,}",
      ),
    )
    .map((parts) => parts.join("")),
  row: fc.array(again("part"), { minLength: 1, maxLength: 5 }).map((parts) => parts.join("")),
  choice: fc.oneof(
    {
      arbitrary: fc.array(again("row"), { minLength: 1, maxLength: 3 }).map((rows) => rows.join("|")),
      weight: 20,
    },
    // Hundreds of alternatives with a common prefix, and as many in a sequence.
    fc.tuple(again("part"), fc.nat(200)).map(([part, n]) =>
      Array(n + 1)
        .fill(part)
        .join("|"),
    ),
    fc.tuple(again("part"), fc.nat(60)).map(([part, n]) => part.repeat(n + 1)),
  ),
})).choice;

const finder = fc.oneof(
  pattern.map((Regex) => ({ Regex })),
  oddText.map((String) => ({ String })),
);
const behavior = fc.constantFrom("Isolated", "Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous");
const word = fc.constantFrom("▁", " ", "##", "</w>", "a", "hi", "");
const replacement = fc.record({
  type: fc.constant("Replace"),
  pattern: finder,
  content: fc.oneof(word, oddText),
});
const plain = (...types) => fc.constantFrom(...types).map((type) => ({ type }));
const sequence = (name, each) =>
  fc.array(each, { maxLength: 4 }).map((steps) => ({ type: "Sequence", [name]: steps }));
const normalizer = fc.oneof(
  plain(
    "NFC",
    "NFD",
    "NFKC",
    "NFKD",
    "Lowercase",
    "StripAccents",
    "Nmt",
    "ByteLevel",
    "BertNormalizer",
    "Strip",
  ),
  replacement,
  word.map((prepend) => ({ type: "Prepend", prepend })),
  precompiledCharsmap.map((bytes) => ({ type: "Precompiled", precompiled_charsmap: base64(bytes) })),
);
const preTokenizer = fc.oneof(
  plain(
    "BertPreTokenizer",
    "Whitespace",
    "WhitespaceSplit",
    "Digits",
    "Punctuation",
    "ByteLevel",
    "Metaspace",
  ),
  fc.record({ type: fc.constant("Split"), pattern: finder, behavior, invert: fc.boolean() }),
  fc.record({
    type: fc.constant("Metaspace"),
    replacement: word,
    prepend_scheme: fc.constantFrom("always", "first", "never"),
    split: fc.boolean(),
  }),
  fc.record({ type: fc.constant("FixedLength"), length: mostly(small) }),
  fc.record({ type: fc.constant("CharDelimiterSplit"), delimiter: word }),
);
const decoder = fc.oneof(
  plain("ByteLevel", "ByteFallback", "Fuse", "WordPiece", "BPEDecoder", "CTC", "Metaspace"),
  replacement,
  fc.record({ type: fc.constant("Strip"), content: word, start: small, stop: small }),
);
const vocabulary = fc
  .uniqueArray(fc.oneof(piece, word, oddText), { minLength: 1, maxLength: 12 })
  .map((tokens) => Object.fromEntries(["<unk>", ...tokens].map((token, id) => [token, id])));
const model = fc.oneof(
  fc.record({
    type: fc.constant("BPE"),
    vocab: vocabulary,
    merges: fc.array(fc.oneof(fc.constantFrom("h i", "k i", "▁ hi", ["h", "i"]), oddText), few),
    unk_token: fc.constantFrom(null, "<unk>", "h"),
    byte_fallback: fc.boolean(),
    fuse_unk: fc.boolean(),
    ignore_merges: fc.boolean(),
  }),
  fc.record({
    type: fc.constantFrom("WordPiece", "WordLevel"),
    vocab: vocabulary,
    unk_token: mostly(fc.constant("<unk>"), piece),
    continuing_subword_prefix: word,
    max_input_chars_per_word: oddNumber,
  }),
  fc.record({
    type: fc.constant("Unigram"),
    vocab: fc.array(fc.tuple(fc.oneof(piece, oddText), fc.oneof(fc.float({ noNaN: true }), oddNumber)), few),
    unk_id: mostly(fc.constant(null), fc.nat(4)),
    byte_fallback: fc.boolean(),
  }),
);
const token = fc.record(
  {
    id: mostly(fc.nat(20), oddNumber),
    content: fc.oneof(
      { arbitrary: fc.oneof(piece, word, oddText), weight: 20 },
      fc.nat(20_000).map((n) => `${"a".repeat(n)}b`), // nearly matches at each position
    ),
    special: fc.boolean(),
    normalized: fc.boolean(),
    single_word: fc.boolean(),
    lstrip: fc.boolean(),
    rstrip: fc.boolean(),
  },
  { requiredKeys: ["id", "content"] },
);
const item = fc.oneof(
  fc.constantFrom("A", "B").map((id) => ({ Sequence: { id, type_id: 0 } })),
  fc.constant({ SpecialToken: { id: "<s>", type_id: 1 } }),
);
const postProcessor = fc.oneof(
  fc.record({ type: fc.constant("ByteLevel"), trim_offsets: fc.boolean() }),
  fc.record({
    type: fc.constantFrom("BertProcessing", "RobertaProcessing"),
    cls: fc.tuple(piece, fc.nat(9)),
    sep: fc.tuple(piece, fc.nat(9)),
  }),
  fc.record({
    type: fc.constant("TemplateProcessing"),
    single: fc.array(item, few),
    pair: fc.array(item, few),
    special_tokens: fc.array(fc.nat(9), few).map((ids) => ({ "<s>": { id: "<s>", ids, tokens: ["<s>"] } })),
  }),
);
const tokenizerJson = fc
  .tuple(
    near(
      fc.record(
        {
          model,
          added_tokens: fc.array(token, few),
          normalizer: fc.oneof(fc.constant(null), normalizer, sequence("normalizers", normalizer)),
          pre_tokenizer: fc.oneof(fc.constant(null), preTokenizer, sequence("pretokenizers", preTokenizer)),
          post_processor: fc.oneof(fc.constant(null), postProcessor, sequence("processors", postProcessor)),
          decoder: fc.oneof(fc.constant(null), decoder, sequence("decoders", decoder)),
          padding: fc.record({
            strategy: fc.oneof(
              fc.constant("BatchLongest"),
              mostly(small).map((Fixed) => ({ Fixed })),
            ),
            pad_id: small,
            pad_to_multiple_of: fc.oneof(fc.constant(null), mostly(small)),
          }),
          truncation: fc.record({
            max_length: mostly(small),
            strategy: fc.constantFrom("OnlyFirst", "LongestFirst"),
          }),
        },
        { requiredKeys: ["model"] },
      ),
    ),
    evil,
  )
  .map(([file, more]) => utf8(withEvil([JSON.stringify(file) ?? "null", more])));

const everyByte = Array.from({ length: 256 }, (_, byte) => [Uint8Array.of(byte), byte]);
const tiktoken = fc
  .tuple(
    mostly(fc.constant(everyByte), fc.constant(everyByte.slice(1))),
    fc.array(fc.tuple(bytesOf(4), mostly(fc.integer({ min: 256, max: 270 }), oddNumber)), { maxLength: 8 }),
    mostly(fc.constant("\n"), fc.constantFrom("\r\n", "\n\n", " ", "")),
    mostly(fc.constant(""), oddText),
  )
  .map(([first, more, end, rest]) =>
    utf8([...first, ...more].map(([token, rank]) => `${base64(token)} ${rank}${end}`).join("") + rest),
  );

const wordpiece = fc
  .tuple(
    mostly(fc.constant(["[UNK]", "[CLS]", "[SEP]"]), fc.constant([])),
    fc.uniqueArray(
      fc.oneof(fc.constantFrom("hi", "##gh", "##i", ",", "##", "[unused1]", "[UNK]"), oddText),
      few,
    ),
    mostly(fc.constant("\n"), fc.constantFrom("\r\n", "\r", "\n\n")),
  )
  .map(([special, words, end]) => utf8([...special, ...words].join(end)));

const checkpoint = fc
  .tuple(
    mostly(fc.constantFrom(2, 4, 8), fc.integer()),
    ...Array.from({ length: 6 }, () => mostly(fc.integer({ min: -3, max: 3 }), fc.integer())),
    fc.nat(900),
  )
  .map(([...sizes]) => Uint8Array.from([...sizes.slice(0, 7).flatMap(i32), ...Array(sizes[7]).fill(0)]));
const llama2cTokens = fc
  .tuple(
    fc.nat(12),
    fc.array(fc.tuple(fc.float(), oddText, mostly(fc.constant(0), fc.integer({ min: -2, max: 2 }))), few),
  )
  .map(([most, tokens]) => {
    const bytes = Array.from({ length: 256 }, (_, i) => [
      0,
      `<0x${i.toString(16).toUpperCase().padStart(2, "0")}>`,
      0,
    ]);
    const all = [[0, "<unk>", 0], [0, "<s>", 0], [0, "</s>", 0], ...bytes, ...tokens];
    const entry = ([score, text, shift]) => [...f32(score), ...u32(utf8(text).length + shift), ...utf8(text)];
    return Uint8Array.from([...u32(most), ...all.flatMap(entry)]);
  });

/** Configurations with fields of several families, so that each family reads some of them. */
const config = near(
  fc.record(
    {
      model_type: fc.constantFrom(
        "llama",
        "mistral",
        "qwen3",
        "gemma2",
        "phi3",
        "mixtral",
        "gpt2",
        "bert",
        "deepseek_v3",
        "t5",
        "umt5",
        "bart",
        "whisper",
      ),
      hidden_size: mostly(fc.constantFrom(8, 8, 64), fc.nat()),
      intermediate_size: mostly(fc.constantFrom(16, 128), fc.nat()),
      num_hidden_layers: mostly(fc.constantFrom(1, 1, 2), fc.nat()),
      num_attention_heads: mostly(fc.constantFrom(2, 2, 4), fc.nat()),
      num_key_value_heads: mostly(fc.constantFrom(1, 2), fc.nat()),
      head_dim: mostly(fc.constantFrom(4, 4, 16), fc.nat()),
      vocab_size: mostly(fc.constantFrom(11, 11, 100), fc.nat()),
      max_position_embeddings: mostly(fc.constantFrom(8, 128), fc.nat()),
      rms_norm_eps: mostly(fc.constant(1e-5), oddNumber),
      rope_theta: mostly(fc.constant(10000), oddNumber),
      rope_scaling: fc.record(
        {
          rope_type: fc.constantFrom("linear", "dynamic", "yarn", "llama3", "longrope", "default"),
          factor: mostly(fc.constant(2), oddNumber),
          low_freq_factor: fc.constant(1),
          high_freq_factor: mostly(fc.constant(4), oddNumber),
          original_max_position_embeddings: mostly(fc.constant(8), oddNumber),
          short_factor: fc.constant([1]),
          long_factor: fc.array(oddNumber, few),
        },
        { requiredKeys: ["rope_type"] },
      ),
      sliding_window: mostly(fc.constantFrom(null, 4), oddNumber),
      layer_types: fc.array(fc.constantFrom("full_attention", "sliding_attention", "__proto__"), few),
      hidden_act: fc.constantFrom("silu", "gelu", "toString"),
      tie_word_embeddings: fc.boolean(),
      eos_token_id: fc.oneof(small, fc.array(small, few), odd),
      num_local_experts: mostly(small, fc.nat()),
      num_experts_per_tok: mostly(small, fc.nat()),
      n_embd: fc.constant(4),
      n_head: fc.constant(2),
      n_layer: fc.constant(1),
      n_positions: fc.constant(8),
      num_decoder_layers: mostly(fc.constant(2), fc.nat()),
      decoder_attention_heads: mostly(fc.constant(2), fc.nat()),
      relative_attention_num_buckets: mostly(fc.constant(32), fc.nat()),
      max_target_positions: mostly(fc.constant(8), fc.nat()),
      text_config: odd,
    },
    { requiredKeys: ["model_type", "hidden_size", "num_hidden_layers", "num_attention_heads", "vocab_size"] },
  ),
);
const configJson = fc
  .tuple(config, evil)
  .map(([made, more]) => utf8(withEvil([JSON.stringify(made) ?? "null", more])));

const cacheNumbers = near(
  fc.constantFrom([{ lengths: [4] }], [{ lengths: [4], oldest: [1] }], [{ lengths: [4], groups: [0] }]),
);
const cache = fc
  .record({
    form: fc.constantFrom("every token", "window of 3, first 0, room 1", "int8 in groups of 32, 32 floats"),
    layers: mostly(fc.constant("1"), oddText),
    numbers: cacheNumbers.map((each) => JSON.stringify(each) ?? ""),
    tensors: fc.array(
      fc.record({
        name: mostly(fc.constantFrom("0.key", "0.value", "0.keyCodes", "0.valueScale", "1.key"), oddText),
        dtype: mostly(fc.constantFrom("F32", "I8", "U8", "F64")),
        shape: mostly(fc.tuple(fc.constant(1), fc.constant(1), small, mostly(fc.constant(4), small))),
      }),
      { maxLength: 4 },
    ),
  })
  .map(({ form, layers, numbers, tensors }) => {
    const width = { F32: 4, F64: 8 };
    let end = 0;
    const fields = tensors.map(({ name, dtype, shape }) => {
      const start = end;
      end += widthOf(width, dtype) * sizeOf(shape);
      return [name, { dtype, shape, data_offsets: [start, end] }];
    });
    const metadata = { checksum: "00000000", format: "qkv-cache", version: "1", form, layers, numbers };
    const header = JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(fields) });
    return safetensorsFile(header, room(end));
  });

const name = fc.constantFrom(
  "messages",
  "m",
  "eos_token",
  "loop",
  "tools",
  "x",
  "range",
  "namespace",
  "__proto__",
);
const filter = fc.constantFrom(
  ...["trim", "upper", "length", "tojson", "join(', ')", "replace('a', 'bb')", "indent(40)", "first", "last"],
  ...[
    "list",
    "items",
    "dictsort",
    "selectattr('role')",
    "map(attribute='role')",
    "int",
    "string",
    "reject('none')",
  ],
);
const template = fc.letrec((again) => ({
  value: fc.oneof(
    { depthSize: "small" },
    name,
    fc.constantFrom(
      "'hi'",
      "'a' * 9",
      "0",
      "1",
      "9",
      "1e9",
      "-1",
      "none",
      "true",
      "[]",
      "{}",
      "messages[0]['role']",
    ),
    fc
      .tuple(again("value"), fc.constantFrom("role", "content", "constructor", "__proto__", "split", "items"))
      .map(([a, b]) => `${a}.${b}`),
    fc.tuple(again("value"), again("value")).map(([a, b]) => `${a}[${b}]`),
    fc.tuple(again("value"), again("value")).map(([a, b]) => `${a}[${b}:]`),
    fc
      .tuple(
        again("value"),
        fc.constantFrom("+", "-", "*", "/", "%", "~", "==", "!=", "<", "in", "not in", "and", "or"),
        again("value"),
      )
      .map((each) => `(${each.join(" ")})`),
    fc.tuple(again("value"), filter).map(([a, b]) => `${a} | ${b}`),
    fc
      .tuple(again("value"), fc.constantFrom("defined", "none", "string", "mapping", "iterable", "odd"))
      .map(([a, b]) => `(${a} is ${b})`),
    fc
      .tuple(again("value"), fc.array(again("value"), { maxLength: 3 }))
      .map(([f, args]) => `${f}(${args.join(", ")})`),
    fc.array(again("value"), { maxLength: 3 }).map((each) => `[${each.join(", ")}]`),
    fc.tuple(again("value"), again("value")).map(([a, b]) => `{${a}: ${b}}`),
    fc.tuple(again("value"), again("value"), again("value")).map(([a, b, c]) => `(${a} if ${b} else ${c})`),
  ),
  statement: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom("text", " ", "\n"),
    again("value").map((value) => `{{ ${value} }}`),
    fc.tuple(name, again("value")).map(([a, b]) => `{% set ${a} = ${b} %}`),
    // Namespaces grow after their creation, contain each other and themselves, and double in loops.
    fc
      .tuple(name, again("value"), again("value"))
      .map(([a, b, c]) => `{% set ${a} = namespace(a=${b}, b=${c}) %}`),
    fc.tuple(name, again("value")).map(([a, b]) => `{% set ${a}.a = ${b} %}{% set ${a}.b = ${a}.a %}`),
    fc
      .tuple(name, fc.constantFrom("~", "+"), fc.nat(60))
      .map(
        ([a, operator, n]) =>
          `{% set ${a} = namespace(a='x') %}{% for i in range(${n}) %}{% set ${a}.a = ${a}.a ${operator} ${a}.a %}{% endfor %}`,
      ),
    fc.tuple(again("value"), again("body")).map(([a, b]) => `{% if ${a} %}${b}{% endif %}`),
    fc
      .tuple(name, again("value"), again("body"))
      .map(([a, b, c]) => `{% for ${a} in ${b} %}${c}{% endfor %}`),
    fc.tuple(name, again("body")).map(([a, b]) => `{% macro ${a}(x) %}${b}{% endmacro %}{{ ${a}(1) }}`),
    fc.constantFrom(
      "{%",
      "{{ x",
      "{% endif %}",
      "{# no end",
      "{% break %}",
      "{% generation %}{% endgeneration %}",
    ),
  ),
  body: fc.array(again("statement"), { maxLength: 4 }).map((each) => each.join("")),
})).body;

/**
 * Descriptions of a server's responses for the target `answers`: longer than requested, shorter, another range,
 * endless, stalled.
 */
const answers = fc
  .record({
    status: fc.constantFrom(200, 206, 206, 206, 404, 416, 500),
    extra: mostly(fc.constant(0), fc.integer({ min: -70_000, max: 70_000 })),
    shift: mostly(fc.constant(0), fc.integer({ min: -3, max: 3 })),
    total: mostly(fc.constant(0), fc.oneof(fc.nat(), fc.constantFrom(2 ** 40, 2 ** 53, "*", -1))),
    stated: fc.constantFrom(undefined, 0, 0, 1, -1, 2 ** 40),
    encoding: mostly(fc.constant(undefined), fc.constantFrom("gzip", "br", "nope")),
    endless: mostly(fc.constant(false), fc.constant(true)),
    silent: fc.oneof({ arbitrary: fc.constant(false), weight: 60 }, fc.constant(true)),
    changed: mostly(fc.constant(false), fc.constant(true)),
  })
  .map(json);

/** Generators of files by reader, as in `targets`. */
export const made = {
  safetensors,
  answers,
  gguf,
  sentencepiece,
  "tokenizer.json": tokenizerJson,
  tiktoken,
  wordpiece,
  "llama2.c": fc.oneof(checkpoint, llama2cTokens),
  cache,
  "chat template": template.map(utf8),
  "config.json": configJson,
  "any bytes": bytesOf(40),
};

/**
 * @param {string} reader
 * @param {number} count
 * @param {number} seed
 * @returns {Uint8Array[]} The same for the same seed.
 */
export const generatedFiles = (reader, count, seed) => fc.sample(made[reader], { numRuns: count, seed });
