import type { Sampling } from "@qkv/transformer";
import type { Command } from "commander";
import { numberOption } from "./number-option.js";

export type SamplingOptions = {
  temperature: number;
  topP: number;
  topK?: number;
  minP?: number;
  repetitionPenalty?: number;
  seed?: number;
};

export const maxTokens = numberOption("--max-tokens", {
  expected: "an integer number of tokens, 0 or more",
  fix: "give the most tokens to write, such as 256; the model's context ends it anyway.",
  accepts: (value) => Number.isSafeInteger(value) && value >= 0,
});
const temperature = numberOption("--temperature", {
  expected: "a number, 0 or more",
  fix: "use 0 for the most likely token, about 0.8 for variety.",
  accepts: (value) => value >= 0,
});
const topP = numberOption("--top-p", {
  expected: "a number above 0, at most 1",
  fix: "use 1 to sample from all tokens, 0.9 to exclude the least likely.",
  accepts: (value) => value > 0 && value <= 1,
});
const topK = numberOption("--top-k", {
  expected: "an integer number of tokens, 1 or more",
  fix: "leave it out to sample from all tokens.",
  accepts: (value) => Number.isSafeInteger(value) && value >= 1,
});
const minP = numberOption("--min-p", {
  expected: "a number from 0 to 1",
  fix: "use 0 to exclude none, about 0.05 to exclude unlikely tokens.",
  accepts: (value) => value >= 0 && value <= 1,
});
const repetitionPenalty = numberOption("--repetition-penalty", {
  expected: "a number above 0",
  fix: "use 1 for no penalty, about 1.1 to reduce repetition.",
  accepts: (value) => value > 0,
});
const seed = numberOption("--seed", {
  expected: "an integer",
  fix: "give any integer; the same one gives the same text.",
  accepts: Number.isSafeInteger,
});

/** Adds the sampling options. */
export function withSamplingOptions(command: Command): Command {
  return command
    .option(
      "--temperature <t>",
      "0 always takes the most likely token; higher is more random",
      temperature,
      1,
    )
    .option("--top-p <p>", "sample from the most likely tokens whose probabilities add up to p", topP, 0.9)
    .option("--top-k <k>", "sample from the k most likely tokens", topK)
    .option("--min-p <p>", "exclude tokens less likely than p times the most likely", minP)
    .option(
      "--repetition-penalty <r>",
      "values above 1 penalize tokens of the prompt and the generated text",
      repetitionPenalty,
    )
    .option("--seed <s>", "the same seed gives the same text (default: a new one each time)", seed);
}

/** Converts options to those of sampling, with a random seed unless one is given. */
export function samplingFromOptions(options: SamplingOptions): Sampling & { seed: number } {
  const { temperature, topP, topK, minP, repetitionPenalty, seed } = options;
  return {
    temperature,
    topP,
    ...(topK !== undefined && { topK }),
    ...(minP !== undefined && { minP }),
    ...(repetitionPenalty !== undefined && { repetitionPenalty }),
    seed: seed ?? Math.floor(Math.random() * 2 ** 32),
  };
}
