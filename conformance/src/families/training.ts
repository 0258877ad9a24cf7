import { mapTensors, tensor } from "@qkv/tensor";
import {
  adafactor,
  adam,
  adamW,
  paramGroups,
  sgd,
  warmupCosine,
  type Optimizer,
} from "@qkv/tensor/optimizers";
import { decoder, type DecoderConfig, type DecoderParams } from "@qkv/transformer";
import { tokenLoss, train } from "@qkv/transformer/training";
import type { DataFolder } from "../../data-folder.mjs";
import { Skip, type Source, type Target } from "../case.js";
import { compareNumbers, type Check } from "../check.js";
import { readCases } from "../data-files.js";
import { readTensor } from "../reference-tensor.js";
import { tolerance } from "../tolerance.js";
import { toTensor } from "../to-tensor.js";

/** Params whose path matches an expression, and PyTorch's optimizer for them. The last group has all other params. */
type Group = { params?: string; kind: keyof typeof optimizers; options: TorchOptions };
type TorchOptions = {
  lr: number;
  momentum?: number;
  betas?: readonly [number, number];
  weight_decay?: number;
};

type Run = { groups: readonly Group[]; scheduled: boolean; losses: readonly number[] };

type Whole = {
  config: Pick<
    DecoderConfig,
    "vocabSize" | "embedDim" | "hiddenDim" | "numLayers" | "numHeads" | "contextLength"
  >;
  text: readonly number[];
  /** The position in the text of the first token of each row of a batch, by step. */
  starts: readonly (readonly number[])[];
  weights: readonly unknown[];
  /** Linear warmup for `warmup` steps, then a decay to the fraction `least` of each rate. */
  cosine: { warmup: number; steps: number; least: number };
};

/** `training/*.json`: PyTorch training runs from given weights, batches and settings, with the loss of each step. */
export function training(data: DataFolder): Source[] {
  return data.names("training", ".json").map((name) => {
    const file = `training/${name}`;
    const cases = readCases(data, file, ({ name, value }, whole) => ({
      name,
      run: (target) => compare(value as Run, whole as Whole, target),
    }));
    return { family: "training", file, cases };
  });
}

async function compare({ groups, scheduled, losses }: Run, whole: Whole, target: Target): Promise<Check[]> {
  if (target.class !== "host") throw new Skip("what GPUs round otherwise adds up over a run");
  const { device } = target;
  const { config, text, starts, cosine } = whole;
  const model = decoder({
    ...{ ...config, numKvHeads: config.numHeads, normEps: 1e-5, stopIds: [] },
    ...{ norm: "layer", activation: "geluTanh", gated: false, positions: "learned" },
    bias: { queryKeyValue: true, attentionOutput: true, feedForward: true },
  });
  const weightsByName = new Map(whole.weights.map(readTensor).map((weight) => [weight.name, weight]));
  const usedNames = new Set<string>();
  const params: DecoderParams = mapTensors(model.init(1), (_, path) => {
    const weight = weightsByName.get(path);
    if (!weight) throw new Error(`has no weight ${path}`);
    usedNames.add(path);
    return toTensor(weight, target).to(device);
  });
  if (usedNames.size !== weightsByName.size)
    throw new Error(`holds ${weightsByName.size} weights, expected ${usedNames.size}`);
  const rows = (step: number, shift: number) => {
    const ids = starts[step]!.flatMap((start) =>
      text.slice(start + shift, start + shift + config.contextLength),
    );
    return tensor(ids, { shape: [starts[step]!.length, config.contextLength], dtype: "int32", device });
  };
  const optimizerOf = ({ kind, options: { lr, ...options } }: Group): Optimizer =>
    optimizers[kind]({
      ...options,
      lr: scheduled
        ? warmupCosine({
            peak: lr,
            warmupSteps: cosine.warmup,
            steps: cosine.steps,
            floor: lr * cosine.least,
          })
        : lr,
    });
  const rest = optimizerOf(groups.at(-1)!);
  const own = groups.slice(0, -1).map((group) => ({
    params: new RegExp(group.params!),
    optimizer: optimizerOf(group),
  }));
  const run = train({
    params,
    loss: tokenLoss(model),
    optimizer: own.length === 0 ? rest : paramGroups(own, rest),
    batchAt: (step) => ({ ids: rows(step, 0), targets: rows(step, 1) }),
    steps: losses.length,
  });
  const ours: number[] = [];
  for await (const { loss } of run) ours.push(loss);
  const shape = [losses.length];
  // A mean of log-probabilities has at most the error of the logits.
  const limit = tolerance("logits", target.class);
  return [
    compareNumbers("losses", { shape, values: ours }, { shape, values: losses }, limit, { absolute: true }),
  ];
}

type Options = Omit<TorchOptions, "lr"> & { lr: number | ((step: number) => number) };

/** Optimizers under PyTorch's names and options. */
const optimizers = {
  sgd: ({ lr, momentum = 0, weight_decay = 0 }: Options) =>
    sgd({ learningRate: lr, momentum, weightDecay: weight_decay }),
  adam: ({ lr, betas = [0.9, 0.999], weight_decay = 0 }: Options) =>
    adam({ learningRate: lr, betas, weightDecay: weight_decay }),
  adamw: ({ lr, betas = [0.9, 0.999], weight_decay = 0.01 }: Options) =>
    adamW({ learningRate: lr, betas, weightDecay: weight_decay }),
  adafactor: ({ lr, weight_decay = 0 }: Options) =>
    adafactor({ learningRate: lr, weightDecay: weight_decay }),
};
