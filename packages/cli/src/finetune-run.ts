import { checks } from "@qkv/core";
import { tensorsOf, type Device } from "@qkv/tensor";
import { adamW, warmupCosine } from "@qkv/tensor/optimizers";
import type { Tokenizer } from "@qkv/tokenizer";
import type { Model } from "@qkv/transformer";
import { batchStream, packedEpoch, type TrainingExample } from "@qkv/transformer/data";
import { meanLoss, tokenLoss, train } from "@qkv/transformer/training";
import { curveText } from "./curve-text.js";
import type { RunNotes, TrainingFolder } from "./training-folder.js";
import { withFlagNames, type RunReport } from "./training-run.js";

/** Hyperparameters of fine-tuning. The same ones with the same model and data give the same run. */
export type FinetuneRecipe = {
  contextLength: number;
  batchSize: number;
  accumulate: number;
  steps: number;
  learningRate: number;
  weightDecay: number;
  seed: number;
  shuffle: number;
  answers: "all" | "last";
  evaluateEvery: number;
};

export type FinetuneResult = {
  steps: number;
  /** Weights that were trained. */
  parameters: number;
  /** Loss of the last step, in nats per token of the answers. */
  loss: number;
  /** Of the held-back examples, after the last step; undefined without any. */
  evaluation: number | undefined;
};

/** Fine-tunes a model on examples, and leaves it in a folder with its tokenizer, its curve and a checkpoint. */
export async function finetuneRun(
  model: Model & { tokenizer: Tokenizer },
  recipe: FinetuneRecipe,
  options: {
    /** Opens the examples without the first `skip`. */
    open: (skip: number) => AsyncIterable<TrainingExample>;
    /** Examples to evaluate on. */
    heldBack: readonly TrainingExample[];
    folder: TrainingFolder;
    /** Content of `finetuning.json`: what the folder's run was made of. */
    settings: Readonly<Record<string, unknown>>;
    chatTemplate: string | undefined;
    resume: boolean;
    saveEvery: number;
    device: Device;
    signal: AbortSignal;
    onStep: (report: RunReport) => void;
  },
): Promise<FinetuneResult> {
  const { folder, device, signal, settings } = options;
  const { contextLength, batchSize, accumulate, steps, seed, shuffle } = recipe;
  const before = await folder.read(device);
  if (before) checkResume(before.notes, settings, steps, options.resume);
  const params = before?.params ?? model.params;
  const notes: RunNotes = { recipe: settings, curve: before?.notes.curve ?? [] };
  await folder.saveText("finetuning.json", `${JSON.stringify(settings, null, 2)}\n`);
  const sizes = { batchSize, contextLength, device };
  const data = batchStream(options.open, {
    ...{ ...sizes, seed, shuffle },
    ...(before?.notes.data && { state: before.notes.data }),
  });
  const loss = tokenLoss(model);
  const { heldBack } = options;
  const evaluate = () => meanLoss(loss, params, packedEpoch(heldBack, sizes));
  let [latest, saved] = [before?.state, before?.state.step ?? 0];
  const save = async () => {
    if (!latest || latest.step === saved) return;
    await folder.saveCheckpoint({ params, state: latest, notes: { ...notes, data: data.state() } });
    await folder.saveText("curve.csv", curveText(notes));
    saved = latest.step;
  };
  const run = train({
    params,
    ...(before && { state: before.state }),
    loss,
    optimizer: adamW({
      learningRate: warmupCosine({
        peak: recipe.learningRate,
        floor: recipe.learningRate / 10,
        warmupSteps: Math.min(100, Math.floor(steps / 10)),
        steps,
      }),
      weightDecay: recipe.weightDecay,
    }),
    maxNorm: 1,
    batchAt: (step) => data.batchAt(step),
    steps,
    accumulate,
    ...(heldBack.length > 0 && { evaluate, evaluateEvery: recipe.evaluateEvery }),
  });
  let [timeMs, done] = [0, 0];
  try {
    for await (const { step, loss, evaluation, state, timeMs: stepMs } of withFlagNames(run)) {
      latest = state;
      timeMs += stepMs;
      done += 1;
      notes.curve.push([step, loss, evaluation ?? null]);
      const tokensPerSecond = (done * accumulate * batchSize * contextLength) / (timeMs / 1000);
      options.onStep({ step, loss, evaluation, tokensPerSecond });
      if (step % options.saveEvery === 0 || signal.aborted) await save();
      signal.throwIfAborted();
    }
  } finally {
    await data.close();
  }
  await save();
  const { tokenizer, config } = model;
  await folder.saveModel({ config, params, tokenizer, chatTemplate: options.chatTemplate });
  const [, lastLoss, lastEvaluation] = notes.curve.at(-1) ?? [0, NaN, null];
  return {
    steps: notes.curve.length,
    parameters: tensorsOf(params).reduce((total, x) => total + x.data.length, 0),
    loss: lastLoss,
    evaluation: lastEvaluation ?? undefined,
  };
}

/** Refuses to go on with another run than the one in the folder. It may take more steps. */
function checkResume(
  before: RunNotes,
  settings: Readonly<Record<string, unknown>>,
  steps: number,
  resume: boolean,
): void {
  const check = checks("qkv");
  if (!resume) {
    check.refuse({
      argument: "--out",
      received: "a folder with a checkpoint",
      expected: "a folder without one",
      fix: "add --resume to go on with it, or name another folder.",
    });
  }
  const earlier = before.recipe as Readonly<Record<string, unknown>>;
  const least = Number(earlier["steps"]);
  if (steps < least) {
    check.refuse({
      argument: "--steps",
      received: steps,
      expected: `${least} or more, as the run in the folder has`,
      fix: "leave it out, or raise it; an earlier end is Ctrl-C.",
    });
  }
  const odd = Object.keys(settings).find(
    (name) => name !== "steps" && JSON.stringify(settings[name]) !== JSON.stringify(earlier[name]),
  );
  if (odd === undefined) return;
  check.refuse({
    argument: odd,
    received: settings[odd],
    expected: `${String(earlier[odd])}, as the run in the folder has`,
    fix: "give the options of that run, which are in its finetuning.json, or name another folder.",
  });
}
