import { Command } from "commander";
import { expect, test } from "vitest";
import { samplingFromOptions, withSamplingOptions, type SamplingOptions } from "./sampling-options.js";

const sampling = (...argv: string[]) =>
  samplingFromOptions(
    withSamplingOptions(new Command()).parse(argv, { from: "user" }).opts<SamplingOptions>(),
  );

test("the limits of each range are accepted", () => {
  const ends = "--temperature 0 --top-p 1 --top-k 1 --min-p 1 --seed 0".split(" ");
  expect(sampling(...ends)).toEqual({ temperature: 0, topP: 1, topK: 1, minP: 1, seed: 0 });
  expect(sampling("--min-p", "0", "--seed", "-3")).toEqual({ temperature: 1, topP: 0.9, minP: 0, seed: -3 });
});

test.each([
  "--top-p 0",
  "--top-p 1.1",
  "--top-k 0",
  "--min-p 1.1",
  "--temperature -1",
  "--repetition-penalty 0",
])("%s is refused", (text) => {
  const [flag] = text.split(" ");
  expect(() => sampling(...text.split(" "))).toThrow(`qkv: \`${flag}\` is `);
});
