import { evaluate, type Evaluation } from "@qkv/transformer";
import type { DataFolder } from "../../data-folder.mjs";
import type { Source, Target } from "../case.js";
import { compareIds, compareNumbers, type Check } from "../check.js";
import { readCases } from "../data-files.js";
import { tolerance } from "../tolerance.js";
import { openLlama2c } from "./llama2c.js";

type Losses = {
  /** A path in the data folder, then a description of the split into stories. */
  text: string;
  stories: { tokens: number; mean_loss: number }[];
  mean_loss_per_token: number;
};

/** `loss.json` of a llama2.c folder: the model's loss on stories, for each story and over all tokens. */
export function loss(data: DataFolder, family: string): Source {
  const file = `models/${family}/loss.json`;
  const cases = readCases(data, file, ({ name, value }) => ({
    name,
    run: (target) => compare(data, family, value as unknown as Losses, target),
  }));
  return { family, file, cases };
}

async function compare(data: DataFolder, family: string, losses: Losses, target: Target): Promise<Check[]> {
  const { model, tokenizer } = await openLlama2c(data, `models/${family}`, target);
  const path = losses.text?.split(",")[0];
  if (!path || !Array.isArray(losses.stories)) throw new Error("has no text or no stories");
  const stories = data
    .text(path)
    .split("<|endoftext|>")
    .map((story) => story.trim())
    .filter(Boolean)
    .map((story) => tokenizer.encode(story).slice(0, model.config.contextLength));
  // A mean of log-probabilities has at most the error of the logits.
  const limit = tolerance("logits", target.class);
  const number = (output: string, ours: number, reference: number) =>
    compareNumbers(output, { shape: [], values: [ours] }, { shape: [], values: [reference] }, limit, {
      absolute: true,
    });
  const each: Evaluation[] = [];
  for (const ids of stories) each.push(await evaluate(model, [ids]));
  const together = await evaluate(model, stories);
  return [
    compareIds(
      "tokens",
      stories.map(({ length }) => length),
      losses.stories.map(({ tokens }) => tokens),
    ),
    ...losses.stories.map(({ mean_loss }, i) =>
      number(`mean_loss of story ${i}`, each[i]?.loss ?? NaN, mean_loss),
    ),
    number("mean_loss_per_token", together.loss, losses.mean_loss_per_token),
  ];
}
