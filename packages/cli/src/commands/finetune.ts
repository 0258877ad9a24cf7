import { checks } from "@qkv/core";
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
import { adapterWeights, allWeights, type TrainedParams } from "../trained-params.js";
import { withTrainingFolder, type TrainingFolder } from "../training-folder.js";
import { shapeOfModel } from "../training-flops.js";
import { trainingProgress } from "../training-progress.js";

type Options = ModelOptions & {
  out: string;
  evaluate?: string;
  answers: "all" | "last";
  context?: number;
  batchSize: number;
  accumulate: number;
  steps: number;
  learningRate?: number;
  loraRank?: number;
  loraAlpha?: number;
  loraDropout?: number;
  targetModules?: string;
  weightDecay: number;
  seed: number;
  shuffle: number;
  evaluateEvery: number;
  saveEvery: number;
  resume?: true;
  device: string;
  json?: true | string;
};

const check = checks("qkv");

/** Default number of threads: more are hardly faster for matrices of this size. */
const cores = Math.min(availableParallelism(), 4);

const integerOption = (flag: string, min: number, fix: string) =>
  numberOption(flag, {
    expected: `an integer, ${min} or more`,
    fix,
    accepts: (value) => Number.isSafeInteger(value) && value >= min,
  });
const fractionOption = (flag: string) =>
  numberOption(flag, {
    expected: "a fraction from 0 to below 1",
    fix: "use 0.05.",
    accepts: (value) => value >= 0 && value < 1,
  });
const nonNegativeOption = (flag: string, fix: string) =>
  numberOption(flag, { expected: "a number, 0 or more", fix, accepts: (value) => value >= 0 });

/** Adds `qkv finetune`: fine-tunes a model on conversations, prompt-completion pairs or texts. */
export function addFinetune(program: Command, io: Io): void {
  const command = program
    .command("finetune")
    .summary("fine-tune a model on conversations or texts")
    .description(
      "Fine-tunes a model, or an adapter beside it, on examples, with the loss on the answers alone, and writes a folder that `qkv chat` " +
        "and Hugging Face's libraries can load. " +
        ' Each line of the data is {"messages": [{"role", "content"}, …]}, {"prompt", "completion"} or {"text"}.',
    )
    .argument("<model>", modelHelp)
    .argument(
      "<data>",
      "a file of JSON lines, or a Parquet file with these columns; it may be larger than memory",
    )
    .requiredOption(
      "--out <folder>",
      "output folder for the model with its tokenizer, or the adapter; loss curve and checkpoint",
    )
    .option("--evaluate <file>", "examples to evaluate on, in the same form")
    .addOption(
      new Option("--answers <which>", "answers that are learned: all, or the last one of a conversation")
        .choices(["all", "last"])
        .default("all"),
    )
    .option(
      "--context <n>",
      "tokens per row, into which examples are packed (default: that of the model, at most 512)",
      integerOption("--context", 2, "use 512."),
    )
    .option("--batch-size <n>", "rows per batch", integerOption("--batch-size", 1, "use 4."), 4)
    .option("--accumulate <n>", "batches per step", integerOption("--accumulate", 1, "use 1."), 1)
    .option("--steps <n>", "number of training steps", integerOption("--steps", 1, "use 200."), 200)
    .option(
      "--learning-rate <r>",
      "maximum learning rate of AdamW, after a warm-up (default: 0.00002, of an adapter 0.0002)",
      nonNegativeOption("--learning-rate", "use 0.00002 to begin with, and 0.0002 for an adapter."),
    )
    .option("--weight-decay <r>", "weight decay of AdamW", nonNegativeOption("--weight-decay", "use 0."), 0)
    .option(
      "--seed <s>",
      "seed of the order of the examples",
      integerOption("--seed", 0, "give any integer."),
      1,
    )
    .option(
      "--shuffle <n>",
      "examples that are held in memory and shuffled together",
      integerOption("--shuffle", 1, "use 1024."),
      1024,
    )
    .option(
      "--evaluate-every <n>",
      "steps between evaluations",
      integerOption("--evaluate-every", 1, "use 50."),
      50,
    )
    .option("--save-every <n>", "steps between checkpoints", integerOption("--save-every", 1, "use 50."), 50)
    .option("--resume", "continue the run in the folder, with the same options; you may raise --steps")
    .option(
      "--lora-rank <n>",
      "train an adapter of this rank (LoRA) beside the weights, which stay as they are, and save it as PEFT does",
      integerOption("--lora-rank", 1, "use 8."),
    )
    .option(
      "--lora-alpha <n>",
      "changes of the adapter are multiplied by this number over the rank (default: twice the rank)",
      numberOption("--lora-alpha", {
        expected: "a number above 0",
        fix: "use twice the rank.",
        accepts: (value) => value > 0,
      }),
    )
    .option(
      "--lora-dropout <rate>",
      "dropout of the adapter's input in training (default: 0)",
      fractionOption("--lora-dropout"),
    )
    .option(
      "--target-modules <names>",
      "modules to adapt, by ends of their names: q_proj,v_proj (default: all-linear)",
    );
  withModelOptions(command, { device: `wasm,threads=${cores}` })
    .option("--json [file]", "write one JSON object to the file; without a file, print only that object")
    .addHelpText(
      "after",
      "\nExamples:\n  qkv finetune HuggingFaceTB/SmolLM2-135M-Instruct chats.jsonl --out tuned\n" +
        "  qkv finetune Qwen/Qwen3-0.6B chats.jsonl --out adapter --lora-rank 8 --quantize int4",
    )
    .action((model: string, data: string, options: Options) => runFinetune(model, data, options, io));
}

async function runFinetune(source: string, data: string, options: Options, io: Io): Promise<void> {
  checkAdapterOptions(options);
  const start = performance.now();
  const progress = trainingProgress(io.err, options.steps);
  const work = async (folder: TrainingFolder) => {
    const { tokenizer, adapter, device, quantize } = options;
    const model = await openModel(
      source,
      {
        ...{ device, dtype: "float32" },
        ...(tokenizer && { tokenizer }),
        ...(adapter && { adapter }),
        ...(quantize && { quantize }),
      },
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
    const { answers, batchSize, accumulate, steps, weightDecay, seed, shuffle, evaluateEvery } = options;
    const shape = await shapeOfModel(files);
    const contextLength = options.context ?? Math.min(model.config.contextLength, 512);
    const adapterOptions = withDefaults(options);
    const recipe: FinetuneRecipe = {
      ...{ contextLength, answers, batchSize, accumulate, steps },
      ...{ weightDecay, seed, shuffle, evaluateEvery },
      learningRate: options.learningRate ?? (adapterOptions ? 2e-4 : 2e-5),
      ...adapterOptions,
      ...(quantize && { quantize }),
    };
    const run = <P>(trained: TrainedParams<P>) =>
      finetuneRun(trained, recipe, {
        open: finetuneExamples(data, reader),
        ...{ heldBack, folder, shape },
        settings: {
          ...{ model: source, data: resolve(data), ...recipe },
          ...(adapter !== undefined && { adapter }),
        },
        resume: options.resume === true,
        saveEvery: options.saveEvery,
        device: model.params.embedding.weight.device,
        signal: io.signal,
        onStep: progress.onStep,
      });
    const result = adapterOptions
      ? await run(adapterWeights(model, peftConfig(source, adapterOptions), seed))
      : await run(allWeights(model, await readChatTemplateText(files)));
    progress.clear();
    return { out: options.out, ...result, timings: { trainMs: performance.now() - start } };
  };
  try {
    await withJson(
      options.json,
      io,
      () => withTrainingFolder(options.out, work),
      () => "",
    );
  } finally {
    progress.clear();
  }
}

type AdapterOptions = Required<
  Pick<FinetuneRecipe, "loraRank" | "loraAlpha" | "loraDropout" | "targetModules">
>;

/** Options of the LoRA adapter with their defaults; undefined for full fine-tuning. */
function withDefaults({ loraRank, ...options }: Options): AdapterOptions | undefined {
  if (loraRank === undefined) return undefined;
  const { loraAlpha = 2 * loraRank, loraDropout = 0, targetModules = "all-linear" } = options;
  return { loraRank, loraAlpha, loraDropout, targetModules };
}

function peftConfig(source: string, { loraRank, loraAlpha, loraDropout, targetModules }: AdapterOptions) {
  const names = targetModules.split(",").map((name) => name.trim());
  return {
    ...{ r: loraRank, lora_alpha: loraAlpha, lora_dropout: loraDropout },
    target_modules: targetModules === "all-linear" ? targetModules : names,
    base_model_name_or_path: source,
  };
}

/** Refuses adapter options without an adapter, and a model that already has an adapter. */
function checkAdapterOptions(options: Options): void {
  const { loraRank, adapter } = options;
  if (loraRank !== undefined) {
    if (adapter === undefined) return;
    check.refuse({
      argument: "--adapter",
      received: adapter,
      expected: "nothing beside --lora-rank, which trains an adapter of the weights as they are",
      fix: "leave it out; a run is continued with --resume.",
    });
  }
  const flags = {
    loraAlpha: "--lora-alpha",
    loraDropout: "--lora-dropout",
    targetModules: "--target-modules",
    quantize: "--quantize",
  } as const;
  for (const [name, argument] of Object.entries(flags)) {
    const received = options[name as keyof typeof flags];
    if (received === undefined) continue;
    check.refuse({
      argument,
      received,
      expected:
        name === "quantize"
          ? "floats, since rounded weights have no gradient"
          : "an adapter, which this option configures",
      fix: "add --lora-rank 8, to train an adapter.",
    });
  }
}
