// From text to ids: a repeated text, new texts, and a cold start; and training. Texts are the corpora of the reference
// data; tiktoken, which computed the reference ids, defines the correct output.
import { Buffer } from "node:buffer";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { referenceData } from "../../conformance/reference-data.mjs";
import { clockOf } from "../clock.mjs";
import { newTexts } from "../new-texts.mjs";
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
    ...vocabularies.flatMap((vocabulary) =>
      Object.keys(newTexts).map((texts) => encodingNew(vocabulary, texts)),
    ),
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
      resident: "state",
      async prepare() {
        const encode = await open[name](vocabulary);
        const input = text();
        return { call: () => encode(input), output: async () => [...(await encode(input))] };
      },
    })),
  };
}

/** Minimum milliseconds of encoding in a round, and of warm-up for the compiler before the first one. */
const [slice, warming] = [60, 200];

/** Texts that are new in each call: a cache of merges, or of texts, makes a repeated text cheap. */
function encodingNew(vocabulary, texts) {
  const textAt = newTexts[texts];
  return {
    id: `tokenizer/${vocabulary}-encode-${texts}`,
    unit: "MB/s",
    better: "high",
    async expected() {
      return [...(await open["tiktoken (wasm)"](vocabulary))(textAt(textOf(), 0))];
    },
    contenders: namesFor(vocabulary).map((name) => ({
      name,
      kind: kinds[name] ?? "peer",
      resident: "state",
      async prepare({ clock }) {
        const encode = await open[name](vocabulary);
        const [corpus, now] = [textOf(), clockOf({ clock })];
        let [count, warm] = [0, false];
        async function rate(atLeast) {
          let [passed, bytes] = [0, 0];
          while (passed < atLeast) {
            const text = textAt(corpus, ++count);
            bytes += Buffer.byteLength(text);
            const start = now();
            await encode(text);
            passed += now() - start;
          }
          return bytes / 1e3 / passed;
        }
        return {
          async measure() {
            if (!warm) await rate(warming);
            warm = true;
            return rate(slice);
          },
          output: async () => [...(await encode(textAt(corpus, 0)))],
        };
      },
    })),
  };
}

/** From a new process to the first ids of 10,000 characters. */
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
      resident: "nothing",
      prepare: () => ({ measure: () => start(name).timeMs, output: () => [start(name).length] }),
    })),
  };
}

const namesFor = (vocabulary) =>
  Object.keys(open).filter((name) => vocabulary !== "gpt2" || name !== "ai-tokenizer");

/**
 * Training on all three corpora up to 30,000 tokens, where the native trainer stops, since its JavaScript API has no other
 * size. Implementations break ties between equally frequent pairs differently, so vocabularies are not compared.
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
        resident: "nothing",
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
        resident: "nothing",
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
          return { measure: () => seconds(train), note: "it reads a file" };
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
