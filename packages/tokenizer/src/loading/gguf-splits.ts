import { gpt2Pattern } from "../pre-tokenizers/gpt2-split.js";

/** A pre-tokenizer of GGUF files, by the name in `tokenizer.ggml.pre`. */
export type GgufSplit = {
  /** Patterns applied in order: each splits the pre-tokens of the one before, and its matches are pre-tokens. */
  readonly patterns: readonly string[];
  /** Encodes a pre-token that is in the vocabulary as one token, without merges (`ignore_merges`). */
  readonly ignoreMerges?: boolean;
  /** Default of `add_bos_token`. */
  readonly addBos?: boolean;
  /** Default of `add_sep_token`. */
  readonly addSeparator?: boolean;
  /** Tokens are text with `▁` for spaces, not byte-to-unicode. */
  readonly escapeWhitespaces?: boolean;
  /** Tokens are plain text, not byte-to-unicode. */
  readonly plainText?: boolean;
};

/** The splits by the names of llama.cpp, with the patterns of the models' original files. */
function createSplits(): Readonly<Record<string, GgufSplit>> {
  const contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
  const spaces = String.raw`\s*[\r\n]+|\s+(?!\S)|\s+`;
  const prefix = String.raw`[^\r\n\p{L}\p{N}]?`;
  const letters = (digits: string) =>
    String.raw`${contractions}|${prefix}\p{L}+|${digits}| ?[^\s\p{L}\p{N}]+[\r\n]*|${spaces}`;
  const [upper, lower] = [String.raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`, String.raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`];
  const cased = (last: string, digits: string) =>
    String.raw`${prefix}${upper}*${lower}+${last}|${prefix}${upper}+${lower}*${last}|${digits}| ?[^\s\p{L}\p{N}]+[\r\n/]*|${spaces}`;
  const threeDigits = String.raw`\p{N}{1,3}`;
  const oneDigit = String.raw`\p{N}`;
  const o200k = cased(`${contractions}?`, threeDigits);
  const ascii = String.raw`[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_${"`"}{|}~][A-Za-z]+`;
  const lettersAndMarks = String.raw`[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+`;
  const kana = "[一-龥぀-ゟ゠-ヿ]+";
  const deepseek3 = String.raw`${ascii}|${lettersAndMarks}| ?[\p{P}\p{S}]+[\r\n]*|${spaces}`;
  const bloom = String.raw` ?[^(\s|.,!?…。，、।۔،)]+`;
  const lines = String.raw`[^\n]+|[\n]+`;
  const wide = [512, 256, 128, 64, 32, 16, 8, 4].map((count) => String.raw`\s{${count}}(?!\S)`).join("|");
  /** Letters with case, as DeepSeek's pattern lists them: ranges of hexadecimal numbers. */
  const casedLetters = (
    "41-5a 61-7a b5 c0-d6 d8-f6 f8-1ba 1bc-1bf 1c4-293 295-2af 370-373 376 377 37b-37d 37f 386 388-38a " +
    "38c 38e-3a1 3a3-3f5 3f7-481 48a-52f 531-556 10a0-10c5 13a0-13f5 13f8-13fd 1c90-1cba 1cbd-1cbf " +
    "1d00-1d2b 1d6b-1d77 1d79-1d9a 1e00-1f15 1f18-1f1d 1f20-1f45 1f48-1f4d 1f50-1f57 1f59 1f5b 1f5d " +
    "1f5f-1f7d 1f80-1fb4 1fb6-1fbc 1fbe 1fc2-1fc4 1fc6-1fcc 1fd0-1fd3 1fd6-1fdb 1fe0-1fec 1ff2-1ff4 " +
    "1ff6-1ffc 2102 2107 210a-2113 2115 2119-211d 2124 2126 2128 212a-212d 212f-2134 2139 213c-213f " +
    "2145-2149 214e 2183 2184 2c00-2c7b 2c7e-2ce4 2ceb-2cee 2cf2 2cf3 a640-a66d a680-a69b a722-a76f " +
    "a771-a787 a78b-a78e ab70-abbf fb00-fb06 fb13-fb17 ff21-ff3a ff41-ff5a 10400-1044f 104b0-104d3 " +
    "104d8-104fb 10c80-10cb2 10cc0-10cf2 118a0-118df 1e900-1e943"
  )
    .replace(/[0-9a-f]+/g, "\\u{$&}")
    .replaceAll(" ", "");

  const llama3: GgufSplit = { patterns: [letters(threeDigits)], ignoreMerges: true, addBos: true };
  const llama3Plain: GgufSplit = { patterns: [letters(threeDigits)] };
  const qwen2: GgufSplit = { patterns: [letters(oneDigit)] };
  const gpt2: GgufSplit = { patterns: [gpt2Pattern] };
  const starcoder: GgufSplit = { patterns: [oneDigit, gpt2Pattern] };
  const gpt4o: GgufSplit = { patterns: [o200k] };
  const deepseekV3: GgufSplit = { patterns: [threeDigits, kana, deepseek3] };
  const bailing: GgufSplit = {
    patterns: [
      String.raw`'(?i:[sdmt]|ll|ve|re)|${prefix}\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+`,
    ],
  };
  const notHan = (set: string) => String.raw`(?:(?!\p{Han})${set})`;

  const named = (split: GgufSplit, names: string) =>
    Object.fromEntries(names.split(" ").map((name) => [name, split]));

  return {
    default: {
      patterns: [String.raw`[\p{P}\$\+<=>\^~\|]+`, gpt2Pattern, String.raw`\p{N}+`, "[0-9][0-9][0-9]"],
    },
    ...named(llama3, "llama3 llama-v3 llama-bpe falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano"),
    ...named(llama3Plain, "dbrx smaug-bpe glm4 chatglm-bpe"),
    minicpm5: { patterns: [threeDigits, letters(String.raw`\p{N}+`)], ignoreMerges: true },
    "jais-2": {
      patterns: [
        letters(threeDigits).replace(
          String.raw`\s+(?!\S)|\s+`,
          () => String.raw`${wide}|\s{1,2}(?!\S)|\s{1}`,
        ),
      ],
    },
    ...named(qwen2, "qwen2 deepseek-r1-qwen kormo f2llmv2 megrez stablelm2 hunyuan solar-open grok-2"),
    laguna: { patterns: [lines, letters(oneDigit)] },
    ufakzeka: { patterns: [letters(oneDigit).slice(contractions.length + 1)] },
    qwen35: {
      patterns: [
        String.raw`${contractions}|${prefix}[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|${spaces}`,
      ],
    },
    "seed-coder": {
      patterns: [String.raw`${contractions}|${prefix}\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|${spaces}`],
    },
    ...named(bailing, "bailingmoe bailingmoe2 llada-moe"),
    "exaone-moe": {
      patterns: [
        String.raw`${contractions}|${prefix}(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+`,
      ],
    },
    ...named(
      gpt2,
      "gpt-2 phi-2 jina-es jina-de jina-v2-es jina-v2-de gigachat a.x-4.0 mellum modern-bert exaone4 mpt olmo jais trillion granite-docling",
    ),
    "jina-v1-en": { ...gpt2, addSeparator: true },
    "jina-v2-code": { ...gpt2, addSeparator: true },
    "roberta-bpe": { ...gpt2, addSeparator: true },
    ...named(starcoder, "starcoder refact command-r smollm codeshell exaone minerva-7b mellum2"),
    falcon: { patterns: [String.raw`[\p{P}\$\+<=>\^~\|${"`"}]+`, gpt2Pattern, "[0-9][0-9][0-9]"] },
    "deepseek-llm": {
      patterns: [
        "[\r\n]",
        String.raw`\s?[${casedLetters}]+`,
        String.raw`\s?[!-/:-~！-／：-～‘-‟\u3000-。]+`,
        String.raw`\s+$`,
        "[一-龥ࠀ-一가-\uD7FF]+",
        String.raw`\p{N}+`,
      ],
    },
    "deepseek-coder": {
      patterns: ["[\r\n]", String.raw`\s?\p{L}+`, String.raw`\s?\p{P}+`, "[一-龥ࠀ-一가-\uD7FF]+", oneDigit],
    },
    ...named(deepseekV3, "deepseek-v3 hunyuan-dense joyai-llm hy_v4"),
    spark2_5: {
      patterns: [
        threeDigits,
        kana,
        String.raw`${ascii}|${lettersAndMarks}| ?[\p{P}\p{S}]+|[\r\n]|\s+(?!\S)|\s+`,
        oneDigit,
      ],
    },
    youtu: {
      patterns: [
        "[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|[一-龥぀-ゟ゠-ヿ]+",
        cased(`${contractions}?`, oneDigit),
      ],
      ignoreMerges: true,
    },
    afmoe: {
      patterns: [
        String.raw`\p{Nd}{1,3}(?=(?:\p{Nd}{3})*(?!\p{Nd}))`,
        "[一-鿿㐀-䶿豈-\uFAFF぀-ゟ゠-ヿ･-ﾟ⼀-\u2FDF\u0E00-\u0E7F\u0E80-\u0EFF\u1780-\u17FF\u1000-\u109F\uAA60-\uAA7F\uA9E0-\uA9FF가-\uD7AFᄀ-ᇿ]+",
        deepseek3,
      ],
    },
    "kimi-k2": {
      patterns: [
        String.raw`[\p{Han}]+|${prefix}${notHan(upper)}*${notHan(lower)}+${contractions}?|${prefix}${notHan(upper)}+${notHan(lower)}*${contractions}?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|${spaces}`,
      ],
    },
    "poro-chat": { patterns: [bloom] },
    bloom: { patterns: [bloom] },
    "gpt3-finnish": { patterns: [bloom] },
    viking: { patterns: [bloom, oneDigit] },
    tekken: { patterns: [cased("", oneDigit)], ignoreMerges: true, addBos: true },
    ...named(gpt4o, "gpt-4o llama4 kanana2 talkie minimax-m2"),
    "granite-embed-multi-97m": { ...gpt4o, ignoreMerges: true },
    tiny_aya: { patterns: [String.raw`\d{1,3}(?=(?:\d{3})*\b)`, o200k] },
    cohere2moe: { patterns: [String.raw`\d{1,3}(?=(?:\d{3})*\b)`, o200k] },
    superbpe: { patterns: [String.raw`\p{N}+`, String.raw`(?=(\d{3})+(?!\d))`] },
    chameleon: {
      patterns: [
        "<sentinel:[0-9]+>",
        "(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z",
        String.raw`([\t\n]|    |  )`,
        oneDigit,
        String.raw`[\p{P}!-/:-@\[-${"`"}{-~]`,
        gpt2Pattern,
      ],
      addBos: true,
    },
    gemma4: { patterns: [lines], escapeWhitespaces: true, ignoreMerges: true, addBos: true },
    "granite-embed-multi-311m": {
      patterns: [lines],
      escapeWhitespaces: true,
      ignoreMerges: true,
      addBos: true,
    },
    "sarvam-moe": { patterns: [lines], escapeWhitespaces: true },
    whitespace: { patterns: [String.raw`\S+`], plainText: true },
  };
}

let cachedSplits: Readonly<Record<string, GgufSplit>> | undefined;
const splits = () => (cachedSplits ??= createSplits());

/** The pre-tokenizer of a name, or undefined: an unknown name must not fall back to another split. */
export const ggufSplit = (pre: string): GgufSplit | undefined =>
  Object.hasOwn(splits(), pre) ? splits()[pre] : undefined;

/** All known names. */
export const ggufSplitNames = (): readonly string[] => Object.keys(splits());
