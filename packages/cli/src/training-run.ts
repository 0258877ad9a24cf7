import { ArgumentError, checks } from "@qkv/core";
import { readConfig } from "@qkv/cost";
import { mapTensors, tensorsOf, type Device } from "@qkv/tensor";
import { tokenizerFromJson } from "@qkv/tokenizer";
import { textChunks, trainBpe, trainedBpeToJson } from "@qkv/tokenizer/training";
import { decoder, load, type DecoderConfig, type DecoderParams } from "@qkv/transformer";
import { exportModel } from "@qkv/transformer/export";
import { meanLoss, nextTokenBatches, textBatches, tokenLoss } from "@qkv/transformer/training";
import { createHash } from "node:crypto";
import { characterTokenizerJson } from "./character-tokenizer.js";
import { checkResume, type SavedRecipe } from "./check-resume.js";
import type { Input } from "./io.js";
import { trainingFlops } from "./training-flops.js";
import type { RunNotes, TrainingFolder } from "./training-folder.js";
import { scheduledAdamW, trainingLoop, type RunReport, type RunSpeed } from "./training-loop.js";

/** Hyperparameters of a run. With the same text they reproduce it. */
export type Recipe = {
  /** The text of a tokenizer.json; a vocabulary size, to train a tokenizer on the text; or one token per character. */
  tokenizer: { json: string } | { vocabSize: number } | "characters";
  numLayers: number;
  embedDim: number;
  numHeads: number;
  numKvHeads: number;
  contextLength: number;
  batchSize: number;
  accumulate: number;
  steps: number;
  learningRate: number;
  weightDecay: number;
  seed: number;
  /** Fraction of the text, at its end, for validation. */
  heldBack: number;
  evaluateEvery: number;
  /** Early stopping: number of evaluations without improvement that end the run. 0: never. */
  patience: number;
};

/** Result of a run, with the speed of the steps of this call. */
export type RunResult = Partial<RunSpeed> & {
  steps: number;
  parameters: number;
  vocabSize: number;
  /** Validation loss at the end, and the lowest, whose params are saved. Unit: nats per token. */
  evaluation: number;
  best: number;
  /** Characters per token of the validation text, to compare losses per character. */
  charactersPerToken: number;
};

/** Trains a decoder on text, and saves the model, its tokenizer, its settings and its curve to a folder. */
export async function trainingRun(
  inputs: readonly Input[],
  recipe: Recipe,
  options: {
    folder: TrainingFolder;
    /** Content of `training.json` without the checksums of the texts: all that is needed to reproduce the run. */
    settings: Readonly<Record<string, unknown>>;
    /** A folder or file with the initial weights. Default: random weights. */
    init?: string;
    /** Expected checksums of the texts, when a run is reproduced. */
    sums?: Partial<TextSums>;
    resume: boolean;
    /** True to resume the run in the folder, which does not read the initial weights again. */
    continues: boolean;
    saveEvery: number;
    device: Device;
    signal: AbortSignal;
    onStep: (report: RunReport) => void;
  },
): Promise<RunResult> {
  const { folder, device, signal } = options;
  checkSizes(recipe);
  const text = await readText(inputs, signal);
  const cut = Math.floor(text.length * (1 - recipe.heldBack));
  const [learned, heldBack] = [text.slice(0, cut), text.slice(cut)];
  const json = await tokenizerJson(recipe.tokenizer, learned, text);
  const tokenizer = tokenizerFromJson(json);
  const [ids, heldBackIds] = [learned, heldBack].map((part) => Int32Array.from(tokenizer.encode(part)));
  checkLengths(recipe, ids!.length, heldBackIds!.length);
  const vocabSize = sizeOfVocabulary(json);
  const config = decoderConfig(recipe, vocabSize);
  const model = decoder(config);

  const start = await firstParams(options.init, config);
  // The settings have checksums of the text and the tokenizer, not their paths.
  const sums: TextSums = { text: sha256(text), tokenizer: sha256(json) };
  checkSums(options.sums ?? {}, sums);
  const before = await folder.read<DecoderParams>(device);
  const earlier = before?.notes.recipe as (SavedRecipe & { init?: string }) | undefined;
  const init = start ? await paramsChecksum(start) : options.continues ? earlier?.init : undefined;
  const own = { ...recipe, ...sums, config, ...(init !== undefined && { init }) };
  if (before) {
    const fix = "leave it out with --resume FOLDER, which knows it, or name another folder.";
    checkResume(earlier!, own, { resume: options.resume, flags, fix });
  }
  const params = before?.params ?? mapTensors(start ?? model.init(recipe.seed), (x) => x.to(device));
  const notes: RunNotes = { recipe: own, curve: before?.notes.curve ?? [] };
  await folder.saveText("tokenizer.json", json);
  await folder.saveText("training.json", `${JSON.stringify({ ...options.settings, sums }, null, 2)}\n`);

  const { batchSize, contextLength, accumulate, steps } = recipe;
  const loss = tokenLoss(model);
  const evaluate = () =>
    meanLoss(loss, params, textBatches(heldBackIds!, { batchSize, contextLength, device }));
  const evaluations = notes.curve.flatMap(([, , evaluation]) => (evaluation === null ? [] : [evaluation]));
  let best = Math.min(Infinity, ...evaluations);
  let evaluation = evaluations.at(-1) ?? NaN;
  const speed = await trainingLoop(
    {
      params,
      ...(before && { state: before.state }),
      loss,
      optimizer: scheduledAdamW({ ...recipe, betas: [0.9, 0.99] }),
      maxNorm: 1,
      batchAt: nextTokenBatches(ids!, { batchSize, contextLength, seed: recipe.seed, device }),
      ...{ steps, accumulate, evaluate, evaluations },
      evaluateEvery: recipe.evaluateEvery,
      ...(recipe.patience > 0 && { patience: recipe.patience }),
    },
    {
      ...{ folder, notes, device, saveEvery: options.saveEvery, signal, onStep: options.onStep },
      tokensPerStep: accumulate * batchSize * contextLength,
      flopsPerToken: flopsPerToken(config),
      async onEvaluation(measured) {
        evaluation = measured;
        if (measured >= best) return;
        best = measured;
        await folder.saveFiles((out) => exportModel({ config, params }, { to: "hf", out }));
      },
    },
  );
  return {
    steps: notes.curve.length,
    parameters: tensorsOf(params).reduce((total, x) => total + x.data.length, 0),
    vocabSize,
    evaluation,
    best,
    charactersPerToken: [...heldBack].length / heldBackIds!.length,
    ...speed,
  };
}

/** FLOPs of the model per training token, forward and backward, by `@qkv/cost`. */
function flopsPerToken({ contextLength, ...config }: DecoderConfig): number {
  const shape = readConfig({
    model_type: "llama",
    hidden_size: config.embedDim,
    intermediate_size: config.hiddenDim,
    num_hidden_layers: config.numLayers,
    num_attention_heads: config.numHeads,
    num_key_value_heads: config.numKvHeads,
    vocab_size: config.vocabSize,
    tie_word_embeddings: true,
  });
  return trainingFlops(shape, { contextLength });
}

async function firstParams(
  path: string | undefined,
  config: DecoderConfig,
): Promise<DecoderParams | undefined> {
  if (path === undefined) return undefined;
  const model = await load(path);
  const names = ["vocabSize", "embedDim", "hiddenDim", "numLayers", "numHeads", "numKvHeads"] as const;
  const odd = names.find((name) => model.config[name] !== config[name]);
  if (odd === undefined) return model.params;
  throw new ArgumentError({
    fn: "qkv",
    argument: "--init",
    received: `a model whose ${odd} is ${model.config[odd]}`,
    expected: `${odd} ${config[odd]}, as the options say`,
    fix: "give the sizes of that model, or begin without it.",
  });
}

/** SHA-256 of weights. */
async function paramsChecksum(params: DecoderParams): Promise<string> {
  const hash = createHash("sha256");
  for (const x of tensorsOf(params)) hash.update(new Uint8Array((await x.read()).slice().buffer));
  return hash.digest("hex");
}

type TextSums = { text: string; tokenizer: string };

const sha256 = (content: string) => createHash("sha256").update(content).digest("hex");

function checkSums(wanted: Partial<TextSums>, sums: TextSums): void {
  for (const name of ["text", "tokenizer"] as const) {
    if (wanted[name] === undefined || wanted[name] === sums[name]) continue;
    throw new ArgumentError({
      fn: "qkv",
      argument: `--config: sums.${name}`,
      received: `a ${name} whose SHA-256 is ${sums[name]}`,
      expected: wanted[name],
      fix: `give the files of that run, or take "sums" out of the file to train on others.`,
    });
  }
}

function decoderConfig(recipe: Recipe, vocabSize: number): DecoderConfig {
  const { numLayers, embedDim, numHeads, numKvHeads, contextLength } = recipe;
  // A gated layer has 3 matrices: with a ratio of 8/3 it has as many weights as a plain one of 2 matrices with a ratio of 4.
  const hiddenDim = Math.ceil((embedDim * 8) / 3 / 32) * 32;
  return {
    ...{ vocabSize, embedDim, hiddenDim, numLayers, numHeads, numKvHeads, contextLength },
    normEps: 1e-5,
    stopIds: [],
  };
}

async function readText(inputs: readonly Input[], signal: AbortSignal): Promise<string> {
  let text = "";
  for (const input of inputs) {
    for await (const chunk of textChunks(input)) {
      signal.throwIfAborted();
      text += chunk;
    }
  }
  return text;
}

async function tokenizerJson(wanted: Recipe["tokenizer"], learned: string, text: string): Promise<string> {
  if (wanted === "characters") return characterTokenizerJson(text);
  if ("json" in wanted) return wanted.json;
  return trainedBpeToJson(await trainBpe([learned], { vocabSize: wanted.vocabSize }));
}

/** Vocabulary size: the highest id plus 1. */
function sizeOfVocabulary(json: string): number {
  const { model, added_tokens: added = [] } = JSON.parse(json) as {
    model: { vocab: Record<string, number> | [string, number][] };
    added_tokens?: { id: number }[];
  };
  const ids = Array.isArray(model.vocab) ? model.vocab.map((_, id) => id) : Object.values(model.vocab);
  return 1 + [...ids, ...added.map(({ id }) => id)].reduce((a, b) => Math.max(a, b), 0);
}

/** Flags of the command, by hyperparameter. */
const flags: Readonly<Record<string, string>> = {
  text: "files",
  tokenizer: "--tokenizer",
  numLayers: "--layers",
  embedDim: "--dim",
  numHeads: "--heads",
  numKvHeads: "--kv-heads",
  contextLength: "--context",
  batchSize: "--batch-size",
  accumulate: "--accumulate",
  steps: "--steps",
  learningRate: "--learning-rate",
  weightDecay: "--weight-decay",
  seed: "--seed",
  heldBack: "--held-back",
  evaluateEvery: "--evaluate-every",
  patience: "--patience",
  init: "--init",
};

const check = checks("qkv");

/** Refuses invalid model sizes. */
function checkSizes({ embedDim, numHeads, numKvHeads }: Recipe): void {
  const headDim = embedDim / numHeads;
  if (headDim % 2 !== 0) {
    check.refuse({
      argument: "--heads",
      received: numHeads,
      expected: `a divisor of --dim ${embedDim} that gives heads of an even size`,
      fix: "choose --dim as an even multiple of --heads, as 192 of 6.",
    });
  }
  if (numHeads % numKvHeads === 0) return;
  const fix = "use as many as --heads, or 1.";
  const expected = `a divisor of --heads ${numHeads}`;
  check.refuse({ argument: "--kv-heads", received: numKvHeads, expected, fix });
}

/** Refuses a text that is shorter than a training sequence. */
function checkLengths({ contextLength, heldBack }: Recipe, learned: number, held: number): void {
  if (learned < contextLength + 1) {
    check.refuse({
      argument: "--context",
      received: contextLength,
      expected: `less than the ${learned} tokens of the text that is trained on`,
      fix: "give a longer text, or a smaller --context.",
    });
  }
  if (held >= 2) return;
  check.refuse({
    argument: "--held-back",
    received: heldBack,
    expected: `a share of the text that has two tokens or more; this has ${held}`,
    fix: "give a longer text, or a larger --held-back.",
  });
}
