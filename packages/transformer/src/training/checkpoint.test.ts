import { tensor, zeros } from "@qkv/tensor";
import { adam, sgd } from "@qkv/tensor/optimizers";
import { writeSafetensors } from "@qkv/tensor/safetensors";
import { expect, test } from "vitest";
import { readCheckpoint, writeCheckpoint } from "./checkpoint.js";

const params = { a: tensor([1, 2]), layers: Array.from({ length: 11 }, (_, i) => ({ w: tensor([i]) })) };

test("params, state and notes come back, lists in their order", async () => {
  const state = adam().init(params);
  state.step = 41;
  state.moments.mean!.a.data[1] = 5;
  const again = await readCheckpoint<typeof params>(
    await writeCheckpoint({ params, state, notes: { seed: 3 } }),
  );
  expect(again.params.layers.map(({ w }) => w.data[0])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(again.state.step).toBe(41);
  expect(again.state.moments.mean!.a.toNested()).toEqual([0, 5]);
  expect(Object.keys(again.state.moments)).toEqual(["mean", "meanSquare"]);
  expect(again.notes).toEqual({ seed: 3 });
});

test("a file cut short anywhere, and one of another kind, is refused", async () => {
  const bytes = await writeCheckpoint({ params, state: sgd({ learningRate: 1 }).init(params), notes: null });
  for (let length = 0; length < bytes.length; length += 13) {
    await expect(readCheckpoint(bytes.slice(0, length))).rejects.toThrow(/Fix:/);
  }
  await expect(readCheckpoint(await writeSafetensors({ params: { a: zeros([1]) } }))).rejects.toThrow(
    'readCheckpoint: `checkpoint: format` is undefined, expected "qkv-checkpoint".',
  );
});
