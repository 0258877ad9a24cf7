import { checks } from "@qkv/core";
import { smallFiles } from "@qkv/core/byte-source";
import type { Command } from "commander";
import { stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { applyConfig } from "../config-file.js";
import { deviceNames, openDevice } from "../device-option.js";
import { duration } from "../duration.js";
import { inputFiles } from "../input-files.js";
import type { Io } from "../io.js";
import { unreadable } from "../missing-file.js";
import { namedText, parseNamedJson } from "../named-file.js";
import { numberOption } from "../number-option.js";
import { openOutputFile } from "../output-file.js";
import { withTrainingFolder } from "../training-folder.js";
import { trainingProgress } from "../training-progress.js";
import { trainingRun, type Recipe } from "../training-run.js";

declare const __VERSION__: string;

/** Fields of a config file besides options: inputs, and metadata of a run. */
const notOptions = ["files", "sums", "versions"] as const;

type Options = Omit<
  Recipe,
  "tokenizer" | "numLayers" | "embedDim" | "numHeads" | "numKvHeads" | "contextLength"
> & {
  out?: string;
  tokenizer?: string;
  vocabSize?: number;
  layers: number;
  dim: number;
  heads: number;
  kvHeads: number;
  context: number;
  saveEvery: number;
  init?: string;
  config?: string;
  resume?: true | string;
  device: string;
  json?: true | string;
};

type Sums = { text?: string; tokenizer?: string };

const check = checks("qkv");

/** Default number of threads: more are hardly faster for matrices of this size. */
const cores = Math.min(availableParallelism(), 4);

const integerOption = (flag: string, min: number, fix: string) =>
  numberOption(flag, {
    expected: `an integer, ${min} or more`,
    fix,
    accepts: (value) => Number.isSafeInteger(value) && value >= min,
  });
const heldBackOption = numberOption("--held-back", {
  expected: "a fraction above 0 and below 1",
  fix: "use 0.1 to measure on the last tenth.",
  accepts: (value) => value > 0 && value < 1,
});
const nonNegativeOption = (flag: string) =>
  numberOption(flag, {
    expected: "a number, 0 or more",
    fix: "use 0.001 to begin with.",
    accepts: (value) => value >= 0,
  });

/** Adds `qkv train`: trains a decoder on text. */
export function addTrain(program: Command, io: Io): void {
  program
    .command("train")
    .summary("train a decoder on text")
    .description(
      "Trains a decoder on text and writes a folder that `qkv generate` and Hugging Face's libraries can load.",
    )
    .argument("[files...]", "UTF-8 text (default: standard input)")
    .option(
      "--out <folder>",
      "output folder for the model, tokenizer, training configuration, loss curve and checkpoint",
    )
    .option(
      "--config <file>",
      "a JSON file with these options by name, such as the training.json of another run",
    )
    .option("--tokenizer <file>", "a tokenizer.json (default: each character is a token)")
    .option(
      "--vocab-size <n>",
      "train a byte-level vocabulary of this size on the text",
      integerOption("--vocab-size", 256, "use 1024."),
    )
    .option(
      "--init <folder>",
      "start from the weights and vocabulary of this model (default: random weights)",
    )
    .option("--layers <n>", "number of layers", integerOption("--layers", 1, "use 4."), 4)
    .option("--dim <n>", "width of the model", integerOption("--dim", 2, "use 192."), 192)
    .option("--heads <n>", "number of query heads", integerOption("--heads", 1, "use 6."), 6)
    .option("--kv-heads <n>", "number of key-value heads", integerOption("--kv-heads", 1, "use 2."), 2)
    .option("--context <n>", "tokens per training sequence", integerOption("--context", 1, "use 128."), 128)
    .option("--batch-size <n>", "sequences per batch", integerOption("--batch-size", 1, "use 16."), 16)
    .option("--accumulate <n>", "batches per step", integerOption("--accumulate", 1, "use 1."), 1)
    .option("--steps <n>", "number of training steps", integerOption("--steps", 1, "use 2000."), 2000)
    .option(
      "--learning-rate <r>",
      "maximum learning rate of AdamW, after a warm-up",
      nonNegativeOption("--learning-rate"),
      0.002,
    )
    .option("--weight-decay <r>", "weight decay of AdamW", nonNegativeOption("--weight-decay"), 0.1)
    .option(
      "--seed <s>",
      "seed of the initial weights and the order of the batches",
      integerOption("--seed", 0, "give any integer."),
      1,
    )
    .option(
      "--held-back <fraction>",
      "fraction of the text, from its end, to hold out for evaluation",
      heldBackOption,
      0.1,
    )
    .option(
      "--evaluate-every <n>",
      "steps between evaluations",
      integerOption("--evaluate-every", 1, "use 250."),
      250,
    )
    .option(
      "--patience <n>",
      "stop after this many evaluations without improvement; 0: never",
      integerOption("--patience", 0, "use 3."),
      0,
    )
    .option(
      "--save-every <n>",
      "steps between checkpoints",
      integerOption("--save-every", 1, "use 100."),
      100,
    )
    .option(
      "--resume [folder]",
      "continue the run in the folder, without any other option; you may raise --steps",
    )
    .option("--device <name>", `device: ${deviceNames.join(", ")}`, `wasm,threads=${cores}`)
    .option("--json [file]", "write one JSON object to the file; without a file, print only that object")
    .addHelpText("after", "\nExample:\n  qkv train shakespeare.txt --out shakespeare --device wasm,threads=2")
    .action(async (files: string[], { config: path, resume }: Options, command: Command) => {
      const folder = typeof resume === "string" ? resume : undefined;
      const source = folder === undefined ? path : await savedConfigPath(folder, command.opts<Options>());
      const config = source === undefined ? {} : await applyConfig(command, source, notOptions);
      const inputs = files.length > 0 ? files : fileNames(config["files"] ?? []);
      const options = command.opts<Options>();
      if (options.out === undefined && folder === undefined)
        command.error("error: required option '--out <folder>' not specified");
      const run = { ...options, out: folder ?? options.out!, continues: folder !== undefined };
      await runTrain(inputs, run, config["sums"] as Sums | undefined, io);
    });
}

/** The saved settings of a run in a folder, as a file for `--config`. */
async function savedConfigPath(folder: string, { out, config }: Options): Promise<string> {
  const conflicting = config === undefined ? out : config;
  if (conflicting !== undefined) {
    check.refuse({
      argument: config === undefined ? "--out" : "--config",
      received: conflicting,
      expected: `nothing beside --resume ${folder}, which sets both`,
      fix: `leave it out, or write --out ${folder} --resume.`,
    });
  }
  const settingsPath = join(folder, "training.json");
  const use = { argument: "--resume", what: "the folder of a run, with its training.json," };
  await stat(settingsPath).catch(async (cause: unknown) => {
    throw await unreadable(settingsPath, use, cause);
  });
  return settingsPath;
}

type Run = Omit<Options, "out"> & {
  out: string;
  /** Resumes the run in the folder `out`, with its saved options. */
  continues: boolean;
};

async function runTrain(
  paths: readonly string[],
  options: Run,
  sums: Sums | undefined,
  io: Io,
): Promise<void> {
  const { json, out, device: deviceName, saveEvery, steps, continues } = options;
  const resume = options.resume !== undefined;
  const recipe: Recipe = {
    tokenizer: await tokenizerOption(options),
    numLayers: options.layers,
    embedDim: options.dim,
    numHeads: options.heads,
    numKvHeads: options.kvHeads,
    contextLength: options.context,
    batchSize: options.batchSize,
    accumulate: options.accumulate,
    steps,
    learningRate: options.learningRate,
    weightDecay: options.weightDecay,
    seed: options.seed,
    heldBack: options.heldBack,
    evaluateEvery: options.evaluateEvery,
    patience: options.patience,
  };
  const report = typeof json === "string" ? await openOutputFile(json, "--json") : undefined;
  const progress = trainingProgress(io.err, steps);
  const start = performance.now();
  try {
    const device = await openDevice(deviceName, io.err);
    const {
      out: _out,
      config: _config,
      resume: _resume,
      json: _json,
      continues: _continues,
      ...savedOptions
    } = options;
    const versions = { qkv: __VERSION__, node: process.version };
    const settings = { files: paths, ...savedOptions, versions };
    const result = await withTrainingFolder(out, (folder) =>
      trainingRun(inputFiles(paths, io.in, io.signal), recipe, {
        ...{ folder, settings, resume, continues, saveEvery, device, signal: io.signal },
        ...(sums && { sums }),
        ...(options.init !== undefined && !continues && { init: options.init }),
        onStep: progress.onStep,
      }),
    );
    progress.clear();
    const object = `${JSON.stringify({ out, ...result, timings: { trainMs: performance.now() - start } })}\n`;
    if (json === true) io.out.write(object);
    await report?.finish(object);
    const { best, charactersPerToken, parameters } = result;
    io.err.write(
      `${parameters.toLocaleString("en")} parameters, best held-back loss ${best.toFixed(4)} nats per token, ` +
        `${(best / charactersPerToken).toFixed(4)} per character, in ${duration((performance.now() - start) / 1000)}\n`,
    );
  } finally {
    progress.clear();
    await report?.discard();
  }
}

async function tokenizerOption({ init, vocabSize, ...run }: Run): Promise<Recipe["tokenizer"]> {
  const source = run.tokenizer ?? (init === undefined ? undefined : join(init, "tokenizer.json"));
  // A resumed run reads the copy of the tokenizer in its folder.
  const tokenizer = source !== undefined && run.continues ? join(run.out, "tokenizer.json") : source;
  if (tokenizer === undefined) return vocabSize === undefined ? "characters" : { vocabSize };
  const argument = "--tokenizer";
  if (vocabSize !== undefined) {
    check.refuse({
      argument,
      received: tokenizer,
      expected: "no file beside --vocab-size",
      fix: "leave one of the two out.",
    });
  }
  const fix = "`qkv train-tokenizer` makes one.";
  const use = { argument, what: "a tokenizer.json", fix };
  const json = await namedText(tokenizer, use, smallFiles.tokenizer);
  parseNamedJson(json, tokenizer, use);
  return { json };
}

function fileNames(files: unknown): string[] {
  if (Array.isArray(files) && files.every((file) => typeof file === "string")) return files;
  const expected = "a list of paths";
  const fix = 'write it as ["text.txt"], or name the files on the command line.';
  return check.refuse({ argument: "--config: files", received: files, expected, fix });
}
