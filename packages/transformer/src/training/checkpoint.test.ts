import { tensor, zeros } from "@qkv/tensor";
import { adam, adamW, paramGroups, sgd } from "@qkv/tensor/optimizers";
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

test("groups of which one has no running means come back, and go on bit for bit", async () => {
  const make = (by: number) => ({ layers: [1, 2, 3].map((n) => ({ w: tensor([n * by, 1]) })) });
  const plain = { params: /^layers\.0/, optimizer: sgd({ learningRate: 0.1 }) };
  const optimizer = paramGroups([plain], adamW({ learningRate: 0.1 }));
  const [params, gradients] = [make(1), make(-0.5)];
  const state = optimizer.init(params);
  optimizer.update(params, gradients, state);
  const again = await readCheckpoint<typeof params>(await writeCheckpoint({ params, state, notes: null }));
  optimizer.update(params, gradients, state);
  optimizer.update(again.params, gradients, again.state);
  expect(again.params.layers.map(({ w }) => w.toNested())).toEqual(
    params.layers.map(({ w }) => w.toNested()),
  );
});

test("what a file cannot hold is refused, with its place", async () => {
  const state = sgd({ learningRate: 1 }).init(params);
  const dotted = { layers: [{ "norm.weight": zeros([1]) }] };
  await expect(
    writeCheckpoint({ params: dotted, state: sgd({ learningRate: 1 }).init(dotted), notes: null }),
  ).rejects.toThrow(
    'writeCheckpoint: `params.layers.0` is "the key \\"norm.weight\\"", expected keys without dots, which tell paths in the file.\nFix: nest the tensors in objects, or write `norm/weight`.',
  );
  await expect(writeCheckpoint({ params, state, notes: 1n })).rejects.toThrow(
    /^writeCheckpoint: `checkpoint.notes` is 1n, expected values that JSON has/,
  );
  await expect(writeCheckpoint({ params, state, note: 1 } as never)).rejects.toThrow(/`note`/);
  await expect(writeCheckpoint({ state, notes: 1 } as never)).rejects.toThrow(/`params` is undefined/);
  const bytes = await writeCheckpoint({ params, state, notes: null });
  await expect(readCheckpoint(bytes, { devices: 1 } as never)).rejects.toThrow(/^readCheckpoint: `devices`/);
  const metadata = { format: "qkv-checkpoint", version: "1", step: "0", notes: "{" };
  await expect(readCheckpoint(await writeSafetensors({ params }, metadata))).rejects.toThrow(
    /^readCheckpoint: `checkpoint: notes` is "{", expected JSON/,
  );
});
