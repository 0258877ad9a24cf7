import { ArgumentError } from "@qkv/core";
import type { LogitsProcessor } from "@qkv/transformer/processors";
import { minNewTokens, noRepeatNgram, repetitionPenalty } from "@qkv/transformer/processors";
import type { Command } from "commander";
import { numberOption } from "./number-option.js";

export type BeamOptions = {
  beams?: number;
  lengthPenalty?: number;
  uniqueNgrams?: number;
  minTokens?: number;
};

/** Options for `beamSearch`. */
export type Beams = { numBeams: number; lengthPenalty: number };

const beams = numberOption("--beams", {
  expected: "an integer number of beams, 1 or more",
  fix: "use 4 for a usual search; leave it out to sample.",
  accepts: (value) => Number.isSafeInteger(value) && value >= 1,
});
const lengthPenalty = numberOption("--length-penalty", {
  expected: "a number",
  fix: "use 1 for the mean log-probability, 0 for their sum.",
  accepts: () => true,
});
const uniqueNgrams = numberOption("--unique-ngrams", {
  expected: "an integer number of tokens, 1 or more",
  fix: "use 3 to forbid repeated sequences of three tokens.",
  accepts: (value) => Number.isSafeInteger(value) && value >= 1,
});
const minTokens = numberOption("--min-tokens", {
  expected: "an integer number of tokens, 0 or more",
  fix: "give the minimum number of tokens before the text may end.",
  accepts: (value) => Number.isSafeInteger(value) && value >= 0,
});

/** Adds the options of beam search, n-gram blocking and minimum length. */
export function withBeamOptions(command: Command): Command {
  return command
    .option("--beams <n>", "beam search: find the most likely text with n beams instead of sampling", beams)
    .option("--length-penalty <p>", "with --beams: above 0 favours long texts (default: 1)", lengthPenalty)
    .option("--unique-ngrams <n>", "no n tokens in a row occur twice", uniqueNgrams)
    .option("--min-tokens <n>", "minimum number of tokens before the text may end", minTokens);
}

const samplingOptions = ["temperature", "topP", "topK", "minP", "seed", "speculate"];

/**
 * Converts options to those of beam search; undefined without `--beams`.
 *
 * @param isGiven - Returns true for an option that is on the command line.
 * @throws {ArgumentError} If a sampling option is combined with `--beams`, or `--length-penalty` is given without it.
 */
export function beamsFromOptions(
  options: BeamOptions,
  isGiven: (name: string) => boolean,
): Beams | undefined {
  const toFlag = (name: string) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  const refuse = (flag: string, expected: string): never => {
    throw new ArgumentError({
      fn: "qkv",
      argument: flag,
      received: "given",
      expected,
      fix: `leave ${flag} out, or choose the other.`,
    });
  };
  if (options.beams === undefined) {
    if (options.lengthPenalty !== undefined) refuse("--length-penalty", "only beside --beams");
    return undefined;
  }
  const conflicting = samplingOptions.find(isGiven);
  if (conflicting !== undefined)
    refuse(toFlag(conflicting), "no option of sampling beside --beams, which draws no tokens");
  return { numBeams: options.beams, lengthPenalty: options.lengthPenalty ?? 1 };
}

/** Converts options to logits processors. With beam search they include the repetition penalty, which sampling applies itself. */
export function processorsFromOptions(
  { uniqueNgrams, minTokens, repetitionPenalty: penalty }: BeamOptions & { repetitionPenalty?: number },
  beams: Beams | undefined,
): LogitsProcessor[] {
  return [
    ...(beams && penalty !== undefined ? [repetitionPenalty(penalty)] : []),
    ...(uniqueNgrams !== undefined ? [noRepeatNgram(uniqueNgrams)] : []),
    ...(minTokens !== undefined ? [minNewTokens(minTokens)] : []),
  ];
}
