import { Option, type Command } from "commander";
import type { TrainingExample } from "@qkv/transformer/data";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { finetuneExamples } from "../finetune-examples.js";
import { finetuneRun, type FinetuneRecipe } from "../finetune-run.js";
import type { Io } from "../io.js";
import { withJson } from "../json-result.js";
import { numberOption } from "../number-option.js";
import { modelHelp, openModel, resolveModel, withModelOptions, type ModelOptions } from "../open-model.js";
import { readChatTemplate, readChatTemplateText } from "../read-chat-template.js";
import { openTrainingFolder } from "../training-folder.js";
import { trainingProgress } from "../training-progress.js";

type Options = ModelOptions & {
  out: string;
  evaluate?: string;
  answers: "all" | "last";
  context?: number;
  batchSize: number;
  accumulate: number;
  steps: number;
  learningRate: number;
  weightDecay: number;
  seed: number;
  shuffle: number;
  evaluateEvery: number;
  saveEvery: number;
  resume?: true;
  device: string;
  json?: true | string;
};

/** Default number of threads: more bring little for matrices of this size. */
const cores = Math.min(availableParallelism(), 4);

const whole = (flag: string, least: number, fix: string) =>
  numberOption(flag, {
    expected: `a whole number, ${least} or more`,
    fix,
    accepts: (value) => Number.isSafeInteger(value) && value >= least,
  });
const rate = (flag: string, fix: string) =>
  numberOption(flag, { expected: "a number, 0 or more", fix, accepts: (value) => value >= 0 });

/** Adds `qkv finetune`: a model learns from conversations, pairs or texts. */
export function addFinetune(program: Command, io: Io): void {
  const command = program
    .command("finetune")
    .summary("fine-tune a model on conversations or texts")
    .description(
      "Fine-tunes a model on examples, with the loss on the answers alone, and writes a folder that `qkv chat` and Hugging Face's " +
        'libraries can load. Each line of the data is {"messages": [{"role", "content"}, …]}, {"prompt", "completion"} or {"text"}.',
    )
    .argument("<model>", modelHelp)
    .argument(
      "<data>",
      "a file of JSON lines, or a Parquet file with these columns; it may be larger than memory",
    )
    .requiredOption("--out <folder>", "output folder for the model, its tokenizer, loss curve and checkpoint")
    .option("--evaluate <file>", "examples to evaluate on, in the same form")
    .addOption(
      new Option("--answers <which>", "answers that are learned: all, or the last one of a conversation")
        .choices(["all", "last"])
        .default("all"),
    )
    .option(
      "--context <n>",
      "tokens per row, into which examples are packed (default: that of the model, at most 512)",
      whole("--context", 2, "use 512."),
    )
    .option("--batch-size <n>", "rows per batch", whole("--batch-size", 1, "use 4."), 4)
    .option("--accumulate <n>", "batches per step", whole("--accumulate", 1, "use 1."), 1)
    .option("--steps <n>", "number of training steps", whole("--steps", 1, "use 200."), 200)
    .option(
      "--learning-rate <r>",
      "maximum learning rate of AdamW, after a warm-up",
      rate("--learning-rate", "use 0.00002 to begin with."),
      2e-5,
    )
    .option("--weight-decay <r>", "weight decay of AdamW", rate("--weight-decay", "use 0."), 0)
    .option(
      "--seed <s>",
      "seed of the order of the examples",
      whole("--seed", 0, "give any whole number."),
      1,
    )
    .option(
      "--shuffle <n>",
      "examples that are held in memory and shuffled together",
      whole("--shuffle", 1, "use 1024."),
      1024,
    )
    .option("--evaluate-every <n>", "steps between evaluations", whole("--evaluate-every", 1, "use 50."), 50)
    .option("--save-every <n>", "steps between checkpoints", whole("--save-every", 1, "use 50."), 50)
    .option("--resume", "continue the run in the folder, with the same options; you may raise --steps");
  withModelOptions(command, { device: `wasm,threads=${cores}`, quantize: false })
    .option("--json [file]", "write one JSON object to the file; without a file, print only that object")
    .addHelpText(
      "after",
      "\nExample:\n  qkv finetune HuggingFaceTB/SmolLM2-135M-Instruct chats.jsonl --out tuned",
    )
    .action((model: string, data: string, options: Options) => runFinetune(model, data, options, io));
}

async function runFinetune(source: string, data: string, options: Options, io: Io): Promise<void> {
  const start = performance.now();
  const progress = trainingProgress(io.err, options.steps);
  const work = async () => {
    const folder = await openTrainingFolder(options.out);
    const { tokenizer, adapter, device } = options;
    const model = await openModel(
      source,
      { device, dtype: "float32", ...(tokenizer && { tokenizer }), ...(adapter && { adapter }) },
      io,
    );
    const files = await resolveModel(source, { signal: io.signal });
    const reader = {
      tokenizer: model.tokenizer,
      template: await readChatTemplate(files),
      answers: options.answers,
    };
    const heldBack: TrainingExample[] = [];
    if (options.evaluate !== undefined) {
      for await (const example of finetuneExamples(options.evaluate, reader, "--evaluate")(0))
        heldBack.push(example);
    }
    const { answers, batchSize, accumulate, steps, learningRate, weightDecay, seed, shuffle, evaluateEvery } =
      options;
    const contextLength = options.context ?? Math.min(model.config.contextLength, 512);
    const recipe: FinetuneRecipe = {
      ...{ contextLength, answers, batchSize, accumulate, steps },
      ...{ learningRate, weightDecay, seed, shuffle, evaluateEvery },
    };
    const result = await finetuneRun(model, recipe, {
      open: finetuneExamples(data, reader),
      heldBack,
      folder,
      settings: {
        ...{ model: source, data: resolve(data), ...recipe },
        ...(adapter !== undefined && { adapter }),
      },
      chatTemplate: await readChatTemplateText(files),
      resume: options.resume === true,
      saveEvery: options.saveEvery,
      device: model.params.embedding.weight.device,
      signal: io.signal,
      onStep: progress.onStep,
    });
    progress.clear();
    return { out: options.out, ...result, timings: { trainMs: performance.now() - start } };
  };
  try {
    await withJson(options.json, io, work, () => "");
  } finally {
    progress.clear();
  }
}
