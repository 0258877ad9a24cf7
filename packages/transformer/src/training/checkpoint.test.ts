import { tensor, zeros } from "@qkv/tensor";
import { adam, adamW, paramGroups, sgd } from "@qkv/tensor/optimizers";
import { writeSafetensors } from "@qkv/tensor/safetensors";
import { expect, test } from "vitest";
import { readCheckpoint, writeCheckpoint } from "./checkpoint.js";

const params = { a: tensor([1, 2]), layers: Array.from({ length: 11 }, (_, i) => ({ w: tensor([i]) })) };

test("readCheckpoint gives the params, state and notes of writeCheckpoint, with lists in order", async () => {
  const state = adam().init(params);
  state.step = 41;
  state.moments.mean!.a.data[1] = 5;
  const restored = await readCheckpoint<typeof params>(
    await writeCheckpoint({ params, state, notes: { seed: 3 } }),
  );
  expect(restored.params.layers.map(({ w }) => w.data[0])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(restored.state.step).toBe(41);
  expect(restored.state.moments.mean!.a.toNested()).toEqual([0, 5]);
  expect(Object.keys(restored.state.moments)).toEqual(["mean", "meanSquare"]);
  expect(restored.notes).toEqual({ seed: 3 });
});

test("a truncated file and a file of another format are refused", async () => {
  const bytes = await writeCheckpoint({ params, state: sgd({ learningRate: 1 }).init(params), notes: null });
  for (let length = 0; length < bytes.length; length += 13) {
    await expect(readCheckpoint(bytes.slice(0, length))).rejects.toThrow(/Fix:/);
  }
  await expect(readCheckpoint(await writeSafetensors({ params: { a: zeros([1]) } }))).rejects.toThrow(
    'readCheckpoint: `checkpoint: format` is undefined, expected "qkv-checkpoint".',
  );
});

test("the state of paramGroups with different moments is restored bit for bit", async () => {
  const makeParams = (factor: number) => ({ layers: [1, 2, 3].map((n) => ({ w: tensor([n * factor, 1]) })) });
  const plain = { params: /^layers\.0/, optimizer: sgd({ learningRate: 0.1 }) };
  const optimizer = paramGroups([plain], adamW({ learningRate: 0.1 }));
  const [params, gradients] = [makeParams(1), makeParams(-0.5)];
  const state = optimizer.init(params);
  optimizer.update(params, gradients, state);
  const restored = await readCheckpoint<typeof params>(await writeCheckpoint({ params, state, notes: null }));
  optimizer.update(params, gradients, state);
  optimizer.update(restored.params, gradients, restored.state);
  expect(restored.params.layers.map(({ w }) => w.toNested())).toEqual(
    params.layers.map(({ w }) => w.toNested()),
  );
});

test("keys with dots, notes that JSON does not have and unknown fields are refused, with the path", async () => {
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
