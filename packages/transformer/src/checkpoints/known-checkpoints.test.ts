import { expect, test } from "vitest";
import type { Weights } from "../loading/weights.js";
import type { WeightFile } from "../loading/weight-file.js";
import { readGguf } from "./gguf/read-gguf.js";
import { readCheckpoint } from "./hugging-face/read-checkpoint.js";
import { knownCheckpoints } from "./known-checkpoints.js";

const weights = { name: "weights", fn: "load", has: () => false, shape: () => undefined, names: [] };

/** The error about a checkpoint that contains only the name of its architecture. */
const refusal = (format: string, name: string): Promise<string> => {
  const reading =
    format === "gguf"
      ? readGguf(
          new Map([["general.architecture", name]]),
          weights as unknown as WeightFile,
          () => weights as never,
        )
      : readCheckpoint(
          { model_type: name },
          { name: "config.json", fn: "load" },
          weights as unknown as Weights,
        );
  return reading.then(String, String);
};

test("every listed architecture is known to the readers, and no name is listed twice", async () => {
  const listed = knownCheckpoints();
  expect(new Set(listed.map(({ format, name }) => `${format} ${name}`)).size).toBe(listed.length);
  for (const { format, name } of listed)
    expect(await refusal(format, name), name).not.toMatch(/expected a known architecture/);
});

test.each(["config.json", "gguf"] as const)(
  "%s: the error for an unknown name has the number of listed ones",
  async (format) => {
    const count = knownCheckpoints().filter((checkpoint) => checkpoint.format === format).length;
    expect(await refusal(format, "eurobert")).toContain(
      `, … (\`qkv checkpoints\` lists all ${count}).\nFix: `,
    );
  },
);
