// Tokenizers for tiktoken's vocabularies: `await open[name](vocabulary)` returns a function from text to ids. Separate
// from the suite, so that a process for cold starts only loads one library.

import { Buffer } from "node:buffer";

/** Names of a vocabulary in the libraries' files. OpenAI calls `gpt2` r50k_base. */
const r50k = { o200k: "o200k_base", cl100k: "cl100k_base", gpt2: "r50k_base" };
const ranksName = { o200k: "o200k_base", cl100k: "cl100k_base", gpt2: "gpt2" };

export const open = {
  async "@qkv/tokenizer"(vocabulary) {
    const { tiktokenTokenizer } = await import("@qkv/tokenizer");
    const tokenizer = tiktokenTokenizer(await ranks(vocabulary));
    return (text) => tokenizer.encode(text);
  },
  async "ai-tokenizer"(vocabulary) {
    if (vocabulary === "gpt2") throw new Error("ai-tokenizer has no gpt2");
    const { Tokenizer } = await import("ai-tokenizer");
    const encoding = await import(`ai-tokenizer/encoding/${r50k[vocabulary]}`);
    // Its vocabulary is a plain object, in which the word "hasOwnProperty" of the text would find the inherited method.
    const stringEncoder = Object.assign(Object.create(null), encoding.stringEncoder);
    const tokenizer = new Tokenizer({ ...encoding, stringEncoder });
    return (text) => tokenizer.encode(text);
  },
  async "gpt-tokenizer"(vocabulary) {
    const { encode } = await import(`gpt-tokenizer/encoding/${r50k[vocabulary]}`);
    return (text) => encode(text);
  },
  async "tiktoken (wasm)"(vocabulary) {
    const { get_encoding } = await import("tiktoken");
    const encoding = get_encoding(ranksName[vocabulary]);
    return (text) => encoding.encode_ordinary(text);
  },
  async "js-tiktoken"(vocabulary) {
    const { Tiktoken } = await import("js-tiktoken/lite");
    const encoding = new Tiktoken(await ranks(vocabulary));
    return (text) => encoding.encode(text);
  },
  async "@huggingface/tokenizers"(vocabulary) {
    const { Tokenizer } = await import("@huggingface/tokenizers");
    const tokenizer = new Tokenizer(await tokenizerJson(vocabulary), {});
    return (text) => tokenizer.encode(text).ids;
  },
  async "tokenizers (Rust)"(vocabulary) {
    const { default: library } = await import("tokenizers");
    const tokenizer = library.Tokenizer.fromString(JSON.stringify(await tokenizerJson(vocabulary)));
    return async (text) => (await tokenizer.encode(text)).getIds();
  },
};

/** The kind of each; those that are not JavaScript are an upper bound. */
export const kinds = { "@qkv/tokenizer": "ours", "tokenizers (Rust)": "native" };

async function ranks(vocabulary) {
  const module = await import(`js-tiktoken/ranks/${ranksName[vocabulary]}`);
  return module.default;
}

/** The ranks as a tokenizer.json: two tokens merge if their concatenated bytes are a token. */
async function tokenizerJson(vocabulary) {
  const { bpe_ranks: blocks, pat_str: pattern } = await ranks(vocabulary);
  const tokens = [];
  for (const line of blocks.split("\n").filter(Boolean)) {
    const [, first, ...words] = line.split(" ");
    words.forEach((word, i) => (tokens[Number(first) + i] = Buffer.from(word, "base64").toString("latin1")));
  }
  const rank = new Map(tokens.map((token, id) => [token, id]));
  const letters = letterOfByte();
  const written = (token) => Array.from(token, (byte) => letters[byte.charCodeAt(0)]).join("");
  const merges = tokens.flatMap((token, id) => {
    const parts = token.length > 1 ? lastTwo(token, id, rank) : undefined;
    return parts ? [parts.map(written)] : [];
  });
  const bytes = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false };
  const split = { type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false };
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: { type: "Sequence", pretokenizers: [split, bytes] },
    post_processor: null,
    decoder: bytes,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: true,
      vocab: Object.fromEntries(tokens.map((token, id) => [written(token), id])),
      merges,
    },
  };
}

/** The two tokens that a merge concatenates, found by merges of lower rank. */
function lastTwo(token, id, rank) {
  const parts = [...token];
  while (parts.length > 2) {
    let [best, at] = [id, -1];
    for (let i = 1; i < parts.length; i++) {
      const joined = rank.get(parts[i - 1] + parts[i]) ?? Infinity;
      if (joined < best) [best, at] = [joined, i];
    }
    if (at < 0) return undefined;
    parts.splice(at - 1, 2, parts[at - 1] + parts[at]);
  }
  return parts;
}

/** GPT-2's byte-to-unicode map. */
function letterOfByte() {
  let others = 0;
  return Array.from({ length: 256 }, (_, byte) => {
    const itsOwn = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
    return String.fromCharCode(itsOwn ? byte : 256 + others++);
  });
}
