// From text to ids, warm and cold, and training. Texts are the corpora of the reference data; tiktoken, which
// made the reference ids, says what is right.
import { Buffer } from "node:buffer";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { referenceData } from "../../conformance/reference-data.mjs";
import { kinds, open } from "../peers/tokenizers.mjs";

const files = {
  english: "tinyshakespeare.txt",
  multilingual: "udhr-multilingual.txt",
  code: "code-lodash.js.txt",
};
const read = (name) => referenceData.text(`corpora/${files[name]}`);
/** One of the corpora, or all of them. */
const textOf = (corpus) => (corpus ? read(corpus) : Object.keys(files).map(read).join("\n"));
const vocabularies = ["o200k", "cl100k", "gpt2"];

export function rows({ browser }) {
  if (browser) {
    process.stderr.write("tokenizer: left out, since it reads files\n");
    return [];
  }
  return [
    ...vocabularies.map((vocabulary) => encoding(vocabulary)),
    ...vocabularies.flatMap((vocabulary) => Object.keys(files).map((corpus) => encoding(vocabulary, corpus))),
    ...vocabularies.map(coldStart),
    training(),
  ];
}

function encoding(vocabulary, corpus) {
  const text = () => textOf(corpus);
  return {
    id: `tokenizer/${vocabulary}-encode${corpus ? `-${corpus}` : ""}`,
    unit: "MB/s",
    better: "high",
    work: Buffer.byteLength(text()) / 1e6,
    aim: 1.3,
    async expected() {
      return [...(await open["tiktoken (wasm)"](vocabulary))(text())];
    },
    contenders: namesFor(vocabulary).map((name) => ({
      name,
      kind: kinds[name] ?? "peer",
      async prepare() {
        const encode = await open[name](vocabulary);
        const input = text();
        return { call: () => encode(input), output: async () => [...(await encode(input))] };
      },
    })),
  };
}

/** From nothing loaded to the first ids of 10,000 characters, each time in a new process. */
function coldStart(vocabulary) {
  const script = fileURLToPath(new URL("../peers/tokenizer-cold.mjs", import.meta.url));
  const input = read("english").slice(0, 10_000);
  const start = (name) =>
    JSON.parse(execFileSync(process.execPath, [script, name, vocabulary], { encoding: "utf8", input }));
  return {
    id: `tokenizer/${vocabulary}-cold`,
    unit: "ms",
    better: "low",
    contenders: namesFor(vocabulary).map((name) => ({
      name,
      kind: kinds[name] ?? "peer",
      prepare: () => ({ measure: () => start(name).timeMs, output: () => [start(name).length] }),
    })),
  };
}

const namesFor = (vocabulary) =>
  Object.keys(open).filter((name) => vocabulary !== "gpt2" || name !== "ai-tokenizer");

/**
 * All three corpora, to the 30,000 tokens at which the native trainer stops, since from JavaScript it takes no other
 * number. Which of two equally frequent pairs comes first is each one's own, so vocabularies are not compared.
 */
function training() {
  const vocabSize = 30_000;
  return {
    id: "tokenizer/bpe-train",
    unit: "s",
    better: "low",
    contenders: [
      {
        name: "@qkv/tokenizer",
        kind: "ours",
        async prepare() {
          const { trainBpe } = await import("@qkv/tokenizer/training");
          const text = textOf();
          const train = () => trainBpe([text], { vocabSize });
          return { measure: () => seconds(train) };
        },
      },
      {
        name: "tokenizers (Rust)",
        kind: "native",
        async prepare() {
          const { default: library } = await import("tokenizers");
          const folder = mkdtempSync(join(tmpdir(), "qkv-bench-"));
          process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
          const file = join(folder, "corpus.txt");
          writeFileSync(file, textOf());
          const train = () => {
            const tokenizer = library.Tokenizer.fromString(JSON.stringify(untrained()));
            tokenizer.train([file]);
          };
          return { measure: () => seconds(train) };
        },
      },
    ],
  };
}

async function seconds(work) {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

function untrained() {
  const bytes = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: bytes,
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
      vocab: {},
      merges: [],
    },
  };
}
