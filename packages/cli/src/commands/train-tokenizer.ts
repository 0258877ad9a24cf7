import { ArgumentError } from "@qkv/core";
import {
  sampleTexts,
  textChunks,
  trainBpe,
  trainByteNgrams,
  trainedBpeToJson,
} from "@qkv/tokenizer/training";
import type { Command } from "commander";
import { inputFiles } from "../input-files.js";
import type { Input, Io } from "../io.js";
import { numberOption } from "../number-option.js";
import { openOutputFile, type OutputFile } from "../output-file.js";
import { progressLine, type ProgressLine } from "../progress-line.js";

type Options = {
  out: string;
  vocabSize?: number;
  specialToken: readonly string[];
  minCount: number;
  sample?: number;
  seed: number;
  bytes?: true;
  order: number;
  maxBytes: number;
  json?: true | string;
};

const integerOption = (flag: string, unit: string, min: number, fix: string) =>
  numberOption(flag, {
    expected: `an integer${unit}, ${min} or more`,
    fix,
    accepts: (value) => Number.isSafeInteger(value) && value >= min,
  });
const sample = numberOption("--sample", {
  expected: "a number above 0, at most 1",
  fix: "use 0.1 to train on a tenth of the lines.",
  accepts: (value) => value > 0 && value <= 1,
});
const seed = numberOption("--seed", {
  expected: "an integer",
  fix: "give any integer; the same seed samples the same lines.",
  accepts: Number.isSafeInteger,
});

/** Adds `qkv train-tokenizer`: trains a tokenizer on text. */
export function addTrainTokenizer(program: Command, io: Io): void {
  program
    .command("train-tokenizer")
    .summary("train a tokenizer on text")
    .description(
      "Trains a byte-level BPE tokenizer on text; with --bytes, a byte n-gram model for byte-latent patching.",
    )
    .argument("[files...]", "UTF-8 text (default: standard input)")
    .requiredOption("--out <file>", "the tokenizer.json to write")
    .option(
      "--vocab-size <n>",
      "size of the vocabulary, including the 256 bytes and the special tokens",
      integerOption(
        "--vocab-size",
        " number of tokens",
        256,
        "give the size of the whole vocabulary, such as 8192.",
      ),
    )
    .option(
      "--special-token <text>",
      "a token that never results from ordinary text, such as <|endoftext|>; may be repeated",
      (token: string, before: readonly string[]) => [...before, token],
      [],
    )
    .option(
      "--min-count <n>",
      "minimum number of occurrences of a pair to be merged",
      integerOption("--min-count", "", 1, "use 2 to omit pairs that occur once."),
      1,
    )
    .option("--sample <rate>", "train on a random sample of the lines, such as 0.1", sample)
    .option("--seed <s>", "seed of the sample", seed, 1)
    .option("--bytes", "train a byte n-gram model instead")
    .option(
      "--order <n>",
      "with --bytes: number of preceding bytes that the model uses",
      integerOption("--order", " number of bytes", 0, "use 5, about a word."),
      5,
    )
    .option(
      "--max-bytes <n>",
      "with --bytes: maximum size of the model",
      integerOption("--max-bytes", " number of bytes", 8, "use 200000."),
      200_000,
    )
    .option("--json [file]", "write one JSON object to the file; without a file, print only that object")
    .addHelpText(
      "after",
      "\nExamples:\n  qkv train-tokenizer corpus.txt --vocab-size 8192 --out tokenizer.json\n" +
        "  cat *.txt | qkv train-tokenizer --bytes --out bytes.bin",
    )
    .action((files: string[], options: Options) => runTrainTokenizer(files, options, io));
}

async function runTrainTokenizer(paths: readonly string[], options: Options, io: Io): Promise<void> {
  const { json, out, vocabSize, bytes } = options;
  if (vocabSize === undefined && !bytes) {
    throw new ArgumentError({
      fn: "qkv",
      argument: "--vocab-size",
      received: undefined,
      expected: "the number of tokens of the vocabulary",
      fix: "add --vocab-size 8192, or --bytes for a model of bytes.",
    });
  }
  const target = await openOutputFile(out, "--out");
  let report: OutputFile | undefined;
  const progress = progressLine(io.err);
  try {
    if (typeof json === "string") report = await openOutputFile(json, "--json");
    const inputs = inputFiles(paths, io.in, io.signal);
    const start = performance.now();
    const trained = bytes
      ? await countBytes(inputs, options, io)
      : await learnVocabulary(inputs, { ...options, vocabSize: vocabSize! }, io, progress);
    const timeMs = performance.now() - start;
    await target.finish(trained.file);
    const object = `${JSON.stringify({ out, ...trained.facts, timings: { trainMs: timeMs } })}\n`;
    if (json === true) io.out.write(object);
    await report?.finish(object);
    progress.clear();
    io.err.write(`${trained.summary} in ${(timeMs / 1000).toFixed(2)} s\n`);
  } finally {
    progress.clear();
    await target.discard();
    await report?.discard();
  }
}

type Trained = { file: string | Uint8Array; facts: Record<string, unknown>; summary: string };

async function learnVocabulary(
  inputs: readonly Input[],
  { vocabSize, specialToken, minCount, sample, seed }: Options & { vocabSize: number },
  { signal }: Io,
  progress: ProgressLine,
): Promise<Trained> {
  const texts =
    sample === undefined ? allChunks(inputs) : sampleTexts(allLines(inputs), { rate: sample, seed });
  const progressCounts = { texts: 0, characters: 0, words: 0 };
  const trained = await trainBpe(texts, {
    vocabSize,
    specialTokens: specialToken,
    minFrequency: minCount,
    signal,
    onProgress({ stage, tokens, texts, characters, words }) {
      Object.assign(progressCounts, { texts, characters, words });
      if (stage === "read")
        progress.show(undefined, `${formatCount(progressCounts.characters)} characters read`);
      else progress.show(tokens / vocabSize, `${formatCount(tokens)} of ${formatCount(vocabSize)} tokens`);
    },
  });
  const size = trained.vocab.size;
  const shortage =
    size < vocabSize
      ? `, since no pair is left that occurs ${minCount === 1 ? "at all" : `${minCount} times`}`
      : "";
  return {
    file: trainedBpeToJson(trained),
    facts: {
      vocabSize: size,
      merges: trained.merges.length,
      characters: progressCounts.characters,
      words: progressCounts.words,
    },
    summary: `${formatCount(size)} tokens${shortage}, from ${formatCount(progressCounts.characters)} characters,`,
  };
}

async function countBytes(
  inputs: readonly Input[],
  { out, order, maxBytes }: Options,
  { signal }: Io,
): Promise<Trained> {
  const chunks: Uint8Array[] = [];
  for (const input of inputs) {
    for await (const chunk of input) {
      signal.throwIfAborted();
      chunks.push(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
    }
  }
  const text = Buffer.concat(chunks);
  const file = trainByteNgrams(text, { order, maxBytes });
  // A JavaScript module, which a page can import without reading a file.
  const module = /\.[cm]?[jt]s$/.test(out);
  return {
    file: module ? `export const data =\n  "${Buffer.from(file).toString("base64")}";\n` : file,
    facts: { order, bytes: text.length, modelBytes: file.length },
    summary: `A model of ${formatCount(file.length)} bytes from ${formatCount(text.length)}`,
  };
}

async function* allChunks(inputs: readonly Input[]): AsyncGenerator<string> {
  for (const input of inputs) yield* textChunks(input);
}

async function* allLines(inputs: readonly Input[]): AsyncGenerator<string> {
  for (const input of inputs) {
    let rest = "";
    for await (const chunk of textChunks(input)) {
      const lines = (rest + chunk).split(/(?<=\n)/);
      rest = lines.pop() ?? "";
      yield* lines;
    }
    if (rest !== "") yield rest;
  }
}

const formatCount = (value: number) => value.toLocaleString("en");
