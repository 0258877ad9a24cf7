import { Command } from "commander";
import { expect, test } from "vitest";
import {
  beamsFromOptions,
  processorsFromOptions,
  withBeamOptions,
  type BeamOptions,
} from "./beam-options.js";
import { withSamplingOptions } from "./sampling-options.js";

function read(...argv: string[]) {
  const command = withBeamOptions(withSamplingOptions(new Command())).parse(argv, { from: "user" });
  const options = command.opts<BeamOptions>();
  const beams = beamsFromOptions(options, (name) => command.getOptionValueSource(name) === "cli");
  return { beams, processors: processorsFromOptions(options, beams).map(({ name }) => name) };
}

test("options of beam search become its options and processors", () => {
  expect(read()).toEqual({ beams: undefined, processors: [] });
  expect(read("--beams", "4", "--length-penalty", "-0.5", "--repetition-penalty", "1.2")).toEqual({
    beams: { numBeams: 4, lengthPenalty: -0.5 },
    processors: ["repetitionPenalty(1.2)"],
  });
  // Sampling has its own repetition penalty.
  expect(read("--unique-ngrams", "3", "--min-tokens", "5", "--repetition-penalty", "1.2")).toEqual({
    beams: undefined,
    processors: ["noRepeatNgram(3)", "minNewTokens(5)"],
  });
});

test.each([
  ["--beams 0", "`--beams` is 0"],
  ["--unique-ngrams 1.5", "`--unique-ngrams` is 1.5"],
  ["--min-tokens -1", "`--min-tokens` is -1"],
  ["--length-penalty much", '`--length-penalty` is "much"'],
  ["--length-penalty 2", '`--length-penalty` is "given", expected only beside --beams'],
  ["--beams 2 --top-p 0.5", '`--top-p` is "given", expected no option of sampling beside --beams'],
  ["--beams 2 --seed 1", '`--seed` is "given"'],
])("%s is refused", (text, message) => {
  expect(() => read(...text.split(" "))).toThrow(message);
});
