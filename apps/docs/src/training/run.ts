// Training in the page, loaded on a click of its button: gradients come from workers, and the loss curve is drawn
// meanwhile.
import { mapTensors } from "@qkv/tensor";
import { adamW, warmupCosine } from "@qkv/tensor/optimizers";
import { decoder, generate, type DecoderConfig, type DecoderParams } from "@qkv/transformer";
import {
  meanLoss,
  nextTokenBatches,
  textBatches,
  tokenLoss,
  train,
  type Batch,
} from "@qkv/transformer/training";
import { defineElements, followTraining, type PictureElement } from "@qkv/viz/elements";
import { wasm } from "@qkv/wasm";
import { gradientWorkers } from "@qkv/worker/training";
import { decode, encode, heldBack, learned, vocabSize } from "./sentences";

const config: DecoderConfig = {
  ...{ vocabSize, embedDim: 48, hiddenDim: 128, numLayers: 2, numHeads: 4, numKvHeads: 2 },
  ...{ contextLength: 128, normEps: 1e-5, stopIds: [] },
};
/** Batches per step (gradient accumulation), rows of a batch, and tokens of a row. */
const [accumulate, batchSize, contextLength] = [2, 4, 64];
const steps = 300;
const learningRate = warmupCosine({ peak: 0.01, warmupSteps: 20, steps });

/**
 * Trains until the last step, or until the signal aborts.
 *
 * @param gradients - URL of the compiled `gradients.ts`.
 * @returns Text that the trained model generates.
 */
export async function trainInTab(
  curve: PictureElement<"qkv-training">,
  { gradients, signal }: { gradients: string; signal: AbortSignal },
): Promise<string> {
  defineElements();
  const device = await wasm();
  const model = decoder(config);
  const params = mapTensors(model.init(1), (x) => x.to(device));
  const worker = () => new Worker(gradients, { type: "module" });
  const count = Math.min(accumulate, navigator.hardwareConcurrency || 1);
  await using workers = gradientWorkers<DecoderParams, Batch>({ worker, count, setup: config });
  const sizes = { batchSize, contextLength };
  const evaluate = () =>
    meanLoss(tokenLoss(model), params, textBatches(encode(heldBack), { ...sizes, device }));
  const run = train({
    ...{ params, loss: workers, accumulate, steps, maxNorm: 1, evaluate, evaluateEvery: 50 },
    optimizer: adamW({ learningRate }),
    batchAt: nextTokenBatches(encode(learned), { ...sizes, seed: 1 }),
  });
  const drawn = { learningRate, tokensPerStep: accumulate * batchSize * contextLength };
  for await (const _ of followTraining(curve, run, drawn)) if (signal.aborted) break;
  const ids = encode("the ");
  const sampling = { temperature: 0.5, seed: 1 };
  const trained = { ...model, params, tokenizer: undefined };
  for await (const { id } of generate(trained, [...ids], { maxTokens: 90, sampling })) ids.push(id);
  return decode(ids);
}
