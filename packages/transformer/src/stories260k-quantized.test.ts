/// <reference types="node" />
// Loss of the quantized reference model on the text of `loss.json`.
import { expect, test } from "vitest";
import { referenceData } from "../../../conformance/reference-data.mjs";
import { evaluate } from "./evaluation/evaluate.js";
import { load, type LoadOptions } from "./load.js";

const folder = "models/stories260K";

async function measureLoss(options: LoadOptions): Promise<number> {
  const model = await load(referenceData.path(`${folder}/stories260K.bin`), {
    tokenizer: referenceData.path(`${folder}/tok512.bin`),
    ...options,
  });
  const stories = referenceData.text("corpora/tinystories-sample.txt").split("<|endoftext|>");
  const ids = stories
    .filter((story) => story.trim())
    .map((story) => model.tokenizer!.encode(story.trim()).slice(0, 512));
  const { loss } = await evaluate(model, ids.slice(0, 2));
  return loss;
}

test("quantization raises the loss of stories260K by less than 0.01 in 8 bits and by less than 0.2 in 4 bits", async () => {
  const [float32, int8, int4] = [
    await measureLoss({}),
    await measureLoss({ quantize: "int8" }),
    await measureLoss({ quantize: "int4" }),
  ];
  // Measured: 1.2797 in floats, 1.2817 in 8 bits, 1.4669 in 4.
  expect(Math.abs(int8 - float32)).toBeLessThan(0.01);
  expect(int4 - float32).toBeGreaterThan(0);
  expect(int4 - float32).toBeLessThan(0.2);
});
