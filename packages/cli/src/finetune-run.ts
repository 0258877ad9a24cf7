import type { ModelShape } from "@qkv/cost";
import { tensorsOf, type Device } from "@qkv/tensor";
import { batchStream, packedEpoch, type TrainingExample } from "@qkv/transformer/data";
import { meanLoss, tokenLoss } from "@qkv/transformer/training";
import { checkResume, type SavedRecipe } from "./check-resume.js";
import type { TrainedParams } from "./trained-params.js";
import { trainingFlops } from "./training-flops.js";
import type { RunNotes, TrainingFolder } from "./training-folder.js";
import { scheduledAdamW, trainingLoop, type RunReport, type RunSpeed } from "./training-loop.js";

/** Hyperparameters of fine-tuning. With the same model and data they reproduce a run. */
export type FinetuneRecipe = {
  /** Unit: tokens per row. */
  contextLength: number;
  /** Unit: rows per batch. */
  batchSize: number;
  /** Gradient accumulation: batches per step. */
  accumulate: number;
  steps: number;
  learningRate: number;
  weightDecay: number;
  seed: number;
  /** Number of examples that are held in memory and shuffled together. */
  shuffle: number;
  /** Answers with a loss: all of a conversation, or only the last. */
  answers: "all" | "last";
  /** Unit: steps. */
  evaluateEvery: number;
  /** Rank of the LoRA adapter. Undefined: full fine-tuning. */
  loraRank?: number;
  loraAlpha?: number;
  loraDropout?: number;
  /** Target modules of the adapter: ends of names, or `all-linear`. */
  targetModules?: string;
  /** Quantization of the frozen weights (QLoRA). */
  quantize?: string;
};

/** Result of a run, with the speed of the steps of this call. Tokens include padding. */
export type FinetuneResult = Partial<RunSpeed> & {
  steps: number;
  /** Number of trained weights. */
  parameters: number;
  /** Loss of the last step. Unit: nats per answer token. */
  loss: number;
  /** Loss on the validation examples after the last step; undefined without any. */
  evaluation: number | undefined;
};

/** Fine-tunes a model on examples, and saves the trained weights, the curve and a checkpoint to a folder. */
export async function finetuneRun<P>(
  trained: TrainedParams<P>,
  recipe: FinetuneRecipe,
  options: {
    /** Opens the examples without the first `skip`. */
    open: (skip: number) => AsyncIterable<TrainingExample>;
    /** Examples to evaluate on. */
    heldBack: readonly TrainingExample[];
    folder: TrainingFolder;
    /** Shape of the model, for its FLOPs. Undefined: unknown. */
    shape: ModelShape | undefined;
    /** Content of `finetuning.json`: the inputs and settings of the run. */
    settings: Readonly<Record<string, unknown>>;
    resume: boolean;
    saveEvery: number;
    device: Device;
    signal: AbortSignal;
    onStep: (report: RunReport) => void;
  },
): Promise<FinetuneResult> {
  const { folder, device, signal, settings, shape } = options;
  const { contextLength, batchSize, accumulate, steps, seed, shuffle } = recipe;
  const before = await folder.read<P>(device);
  if (before) {
    const fix = "give the options of that run, which are in its finetuning.json, or name another folder.";
    const earlier = before.notes.recipe as SavedRecipe;
    checkResume(earlier, { ...settings, steps }, { resume: options.resume, flags, fix });
  }
  const params = before?.params ?? trained.start;
  const notes: RunNotes = { recipe: settings, curve: before?.notes.curve ?? [] };
  const sizes = { batchSize, contextLength, device };
  const data = batchStream(options.open, {
    ...{ ...sizes, seed, shuffle },
    ...(before?.notes.data && { state: before.notes.data }),
  });
  // The settings are saved with the first batch: data that cannot be read leaves nothing in the folder.
  let saved: Promise<void> | undefined;
  const batchAt = async (step: number) => {
    const batch = await data.batchAt(step);
    await (saved ??= folder.saveText("finetuning.json", `${JSON.stringify(settings, null, 2)}\n`));
    return batch;
  };
  const loss = tokenLoss(trained.model, { dropoutSeed: seed });
  const { heldBack } = options;
  const parameters = tensorsOf(params).reduce((total, x) => total + x.data.length, 0);
  const evaluate = () => meanLoss(loss, params, packedEpoch(heldBack, sizes));
  let speed: RunSpeed | undefined;
  try {
    speed = await trainingLoop(
      {
        params,
        ...(before && { state: before.state }),
        loss,
        optimizer: scheduledAdamW(recipe),
        maxNorm: 1,
        ...{ batchAt, steps, accumulate },
        ...(heldBack.length > 0 && { evaluate, evaluateEvery: recipe.evaluateEvery }),
      },
      {
        ...{ folder, notes, device, saveEvery: options.saveEvery, signal, onStep: options.onStep },
        dataState: () => data.state(),
        tokensPerStep: accumulate * batchSize * contextLength,
        flopsPerToken:
          shape &&
          trainingFlops(shape, {
            contextLength,
            ...(recipe.loraRank !== undefined && { adapterParameters: parameters }),
          }),
      },
    );
  } finally {
    await data.close();
  }
  await trained.save(folder, params);
  const [, lastLoss, lastEvaluation] = notes.curve.at(-1) ?? [0, NaN, null];
  return {
    steps: notes.curve.length,
    parameters,
    loss: lastLoss,
    evaluation: lastEvaluation ?? undefined,
    ...speed,
  };
}

/** Flags of the command, by fields of the saved settings. */
const flags: Readonly<Record<string, string>> = {
  model: "model",
  data: "data",
  adapter: "--adapter",
  loraRank: "--lora-rank",
  loraAlpha: "--lora-alpha",
  loraDropout: "--lora-dropout",
  targetModules: "--target-modules",
  quantize: "--quantize",
  answers: "--answers",
  contextLength: "--context",
  batchSize: "--batch-size",
  accumulate: "--accumulate",
  steps: "--steps",
  learningRate: "--learning-rate",
  weightDecay: "--weight-decay",
  seed: "--seed",
  shuffle: "--shuffle",
  evaluateEvery: "--evaluate-every",
};
