// Trains the two models that *Matrices that answer* draws, one on the next word and one on masked words of the same text,
// and writes their weights: `node packages/figures/scripts/train-animal-sounds.mjs` after a build. By seed: it writes the
// same file again.
import { writeFileSync } from "node:fs";
import { uniform } from "@qkv/tensor";
import { adam, warmupCosine } from "@qkv/tensor/optimizers";
import { maskedTokenBatches, nextTokenBatches, tokenLoss, trainStep } from "@qkv/transformer/training";
import { bytesOfWeights } from "../src/half-weights.ts";
import { bert, bertInit, gpt, idOf, sounds, vocabulary } from "../src/linked-matrices/animal-sounds.ts";

const [steps, sentences, seed] = [1200, 300, 9];
const out = new URL("../src/linked-matrices/weights.ts", import.meta.url);
const all = Object.entries(sounds).map(([animal, sound]) => `the ${animal} ${sound} .`);
const draws = uniform([sentences], { seed: 1 }).data;
const text = Array.from(draws, (u) => all[Math.floor(u * all.length)]);
const ids = text.join(" ").split(" ").map(idOf);
const stretches = { batchSize: 16, contextLength: 8, seed: 1 };

function learn(name, params, model, batchAt) {
  const learningRate = warmupCosine({ peak: 0.01, warmupSteps: 50, steps });
  const optimizer = adam({ learningRate });
  const step = trainStep({ loss: tokenLoss(model), optimizer, maxNorm: 1 });
  const state = optimizer.init(params);
  for (let i = 0; i < steps; i++) {
    const loss = step(params, state, [batchAt(i)]);
    if (i % 200 === 199) console.log(name, i + 1, Number(loss.toNested()).toFixed(4));
  }
  return Buffer.from(bytesOfWeights(params)).toString("base64");
}

const [decoder, encoder] = [gpt(), bert()];
const masked = {
  apply: (params, given) => encoder.maskedTokenLogits(params, encoder.apply(params, given)),
};
const masks = { ...stretches, maskId: 0, maskProbability: 0.3, vocabSize: vocabulary.length };
const weights = {
  gpt: learn("GPT", decoder.init(seed), decoder, nextTokenBatches(ids, stretches)),
  bert: learn("BERT", bertInit(encoder, seed), masked, maskedTokenBatches(ids, masks)),
};
writeFileSync(
  out,
  `// Made by scripts/train-animal-sounds.mjs: ${steps} steps on ${sentences} sentences.
export const gptWeights: string =
  "${weights.gpt}";

export const bertWeights: string =
  "${weights.bert}";
`,
);
