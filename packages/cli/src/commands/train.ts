import type { Command } from "commander";
import { readFile } from "node:fs/promises";
import { ArgumentError } from "@qkv/core";
import { deviceNames, openDevice } from "../device-option.js";
import { inputFiles } from "../input-files.js";
import type { Io } from "../io.js";
import { numberOption } from "../number-option.js";
import { openOutputFile } from "../output-file.js";
import { progressLine } from "../progress-line.js";
import { openTrainingFolder } from "../training-folder.js";
import { trainingRun, type Recipe } from "../training-run.js";

type Options = Omit<
  Recipe,
  "tokenizer" | "numLayers" | "embedDim" | "numHeads" | "numKvHeads" | "contextLength"
> & {
  out: string;
  tokenizer?: string;
  vocabSize?: number;
  layers: number;
  dim: number;
  heads: number;
  kvHeads: number;
  context: number;
  saveEvery: number;
  resume?: true;
  device: string;
  json?: true | string;
};

const whole = (flag: string, least: number, fix: string) =>
  numberOption(flag, {
    expected: `a whole number, ${least} or more`,
    fix,
    accepts: (value) => Number.isSafeInteger(value) && value >= least,
  });
const share = numberOption("--held-back", {
  expected: "a share above 0 and below 1",
  fix: "use 0.1 to measure on the last tenth.",
  accepts: (value) => value > 0 && value < 1,
});
const rate = (flag: string) =>
  numberOption(flag, {
    expected: "a number, 0 or more",
    fix: "use 0.001 to begin with.",
    accepts: (value) => value >= 0,
  });

/** Adds `qkv train`: a decoder learns to continue text. */
export function addTrain(program: Command, io: Io): void {
  program
    .command("train")
    .summary("train a decoder on text")
    .description("Trains a decoder on text, and leaves a folder that `qkv generate` and others load.")
    .argument("[files...]", "UTF-8 text (default: standard input)")
    .requiredOption("--out <folder>", "the model, its tokenizer, its recipe, its curve and its checkpoint")
    .option("--tokenizer <file>", "a tokenizer.json (default: each character is a token)")
    .option(
      "--vocab-size <n>",
      "learn a byte-level vocabulary of this size from the text",
      whole("--vocab-size", 256, "use 1024."),
    )
    .option("--layers <n>", "layers", whole("--layers", 1, "use 4."), 4)
    .option("--dim <n>", "the width of the model", whole("--dim", 2, "use 192."), 192)
    .option("--heads <n>", "query heads", whole("--heads", 1, "use 6."), 6)
    .option("--kv-heads <n>", "key-value heads", whole("--kv-heads", 1, "use 2."), 2)
    .option("--context <n>", "tokens of one stretch", whole("--context", 1, "use 128."), 128)
    .option("--batch-size <n>", "stretches of one batch", whole("--batch-size", 1, "use 16."), 16)
    .option("--accumulate <n>", "batches of one step", whole("--accumulate", 1, "use 1."), 1)
    .option("--steps <n>", "updates", whole("--steps", 1, "use 2000."), 2000)
    .option(
      "--learning-rate <r>",
      "the highest rate of AdamW, after a warm-up",
      rate("--learning-rate"),
      0.002,
    )
    .option("--weight-decay <r>", "how much weights shrink", rate("--weight-decay"), 0.1)
    .option(
      "--seed <s>",
      "of the first weights and of the order",
      whole("--seed", 0, "give any whole number."),
      1,
    )
    .option("--held-back <share>", "the end of the text that is measured on, not trained on", share, 0.1)
    .option(
      "--evaluate-every <n>",
      "steps between measurements",
      whole("--evaluate-every", 1, "use 250."),
      250,
    )
    .option(
      "--patience <n>",
      "end after so many measurements without a better one; 0: never",
      whole("--patience", 0, "use 3."),
      0,
    )
    .option("--save-every <n>", "steps between checkpoints", whole("--save-every", 1, "use 100."), 100)
    .option("--resume", "go on with the run that is in the folder")
    .option("--device <name>", `where to compute: ${deviceNames.join(", ")}`, "wasm")
    .option("--json [file]", "write one JSON object to the file or, without one, alone to standard output")
    .addHelpText("after", "\nExample:\n  qkv train shakespeare.txt --out shakespeare --device wasm,threads=2")
    .action((files: string[], options: Options) => runTrain(files, options, io));
}

async function runTrain(paths: readonly string[], options: Options, io: Io): Promise<void> {
  const { json, out, device: deviceName, saveEvery, resume = false, steps } = options;
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
  const progress = progressLine(io.err);
  const start = performance.now();
  try {
    const folder = await openTrainingFolder(out);
    const device = await openDevice(deviceName);
    let first: number | undefined;
    const result = await trainingRun(inputFiles(paths, io.in, io.signal), recipe, {
      ...{ folder, resume, saveEvery, device, signal: io.signal },
      onStep({ step, loss, evaluation, tokensPerSecond }) {
        first ??= step - 1;
        if (evaluation !== undefined) {
          progress.clear();
          io.err.write(`step ${step}: loss ${loss.toFixed(4)}, held-back ${evaluation.toFixed(4)}\n`);
        }
        const perStep = (performance.now() - start) / 1000 / (step - first);
        const left = duration((steps - step) * perStep);
        progress.show(
          step / steps,
          `${step} of ${steps}, loss ${loss.toFixed(4)}, ${Math.round(tokensPerSecond)} tokens/s, ${left} left`,
        );
      },
    });
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

async function tokenizerOption({ tokenizer, vocabSize }: Options): Promise<Recipe["tokenizer"]> {
  if (tokenizer === undefined) return vocabSize === undefined ? "characters" : { vocabSize };
  const refuse = (expected: string, fix: string, cause?: unknown): never => {
    throw new ArgumentError({
      fn: "qkv",
      argument: "--tokenizer",
      received: tokenizer,
      expected,
      fix,
      cause,
    });
  };
  if (vocabSize !== undefined) refuse("no file beside --vocab-size", "leave one of the two out.");
  try {
    return { json: await readFile(tokenizer, "utf8") };
  } catch (cause) {
    return refuse("a tokenizer.json that can be read", "`qkv train-tokenizer` makes one.", cause);
  }
}

function duration(seconds: number): string {
  const whole = Math.round(seconds);
  return whole < 90 ? `${whole} s` : `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}
