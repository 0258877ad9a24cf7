import { js } from "@qkv/tensor";
import { expect, test } from "vitest";
import { runConformance } from "../run.js";
import { scratchData } from "../scratch-data.js";

const vocabSize = 259;

/**
 * A checkpoint whose layer is the identity: the next token is the one whose output row has the largest product with the
 * token's row.
 */
function checkpoint(rows: Record<number, [number, number]>): Uint8Array {
  const floats = new Float32Array(2 * vocabSize + 2 + 4 * 4 + 2 + 3 * 2 + 2 + 2 * 8);
  for (const [id, row] of Object.entries(rows)) floats.set(row, 2 * Number(id));
  floats.set([1, 1], 2 * vocabSize + 2 + 4 * 4 + 2 + 3 * 2); // the last norm
  const header = Int32Array.of(2, 1, 1, 1, 1, vocabSize, 8);
  return Buffer.concat([header, floats].map(({ buffer }) => new Uint8Array(buffer)));
}

function tokenizer(): Uint8Array {
  const int = (value: number) => new Uint8Array(Int32Array.of(value).buffer);
  const pieces = Array.from({ length: vocabSize }, (_, id) => Buffer.from(`<${id}>`));
  return Buffer.concat([int(5), ...pieces.flatMap((piece) => [int(0), int(piece.length), piece])]);
}

test("a text that ends immediately has no greedy tokens, and a model that continues differs", async () => {
  const run = async (rows: Record<number, [number, number]>, logit: number) => {
    const logits = new Float32Array(vocabSize);
    for (const [id, [along]] of Object.entries(rows)) logits[Number(id)] = along * logit;
    const one = {
      prompt: "",
      prompt_tokens: [1],
      greedy_tokens: [],
      text: "",
      logits: { positions: 1, offset_floats: 0 },
    };
    const dataDir = scratchData({
      "models/tiny/refs.json": { config: { vocab_size: vocabSize }, logits_file: "logits.f32", cases: [one] },
      "models/tiny/logits.f32": new Uint8Array(logits.buffer),
      "models/tiny/tiny.bin": checkpoint(rows),
      "models/tiny/tok.bin": tokenizer(),
    });
    const [result] = await runConformance({ device: js(), class: "host" }, { dataDir });
    return result!;
  };
  const length = Math.sqrt(2) * (1 - 1e-5); // [1, 0] after the norm
  expect(await run({ 1: [1, 0] }, length)).toMatchObject({ passed: 1, failed: 0 });
  const { failures } = await run({ 1: [1, 0], 5: [2, 0] }, length);
  expect(failures.map(({ checks }) => checks.map(({ output }) => output))).toEqual([
    ["greedy_tokens", "text"],
  ]);
});
