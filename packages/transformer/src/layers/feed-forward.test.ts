import { randn, tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import { feedForward } from "../index.js";

test("golden: the gate opens by silu, the way up passes, the way down mixes", () => {
  // x = [1, 2]: gate [1, −2], up [3, 1]; silu(1) = 0.731059, silu(−2) = −0.238406; products [2.193176, −0.238406].
  const layer = feedForward({ embedDim: 2, hiddenDim: 2 });
  const params = {
    gate: {
      weight: tensor([
        [1, 0],
        [0, -1],
      ]),
    },
    up: {
      weight: tensor([
        [1, 1],
        [1, 0],
      ]),
    },
    down: {
      weight: tensor([
        [1, 1],
        [1, -1],
      ]),
      bias: tensor([0, 10]),
    },
  };
  const { data, shape } = layer.apply(params, tensor([[[1, 2]]]));
  expect(shape).toEqual([1, 1, 2]);
  expect(data[0]).toBeCloseTo(2.193176 - 0.238406, 5);
  expect(data[1]).toBeCloseTo(10 + 2.193176 + 0.238406, 5);
});

test("each token goes by itself, bit for bit", () => {
  const layer = feedForward({ embedDim: 6, hiddenDim: 10 });
  const params = layer.init(3);
  const all = randn([1, 5, 6], { seed: 1 });
  const alone = tensor(all.data.slice(12, 18), { shape: [1, 1, 6] });
  expect(layer.apply(params, alone).data).toEqual(layer.apply(params, all).data.slice(12, 18));
});

test("random weights are repeatable, of the right shapes, each matrix its own", () => {
  const layer = feedForward({ embedDim: 6, hiddenDim: 10 });
  const { gate, up, down } = layer.init(3);
  expect([gate, up, down].map(({ weight }) => weight.shape)).toEqual([
    [10, 6],
    [10, 6],
    [6, 10],
  ]);
  expect(layer.init(3).down.weight.data).toEqual(down.weight.data);
  const firsts = [3, 4].flatMap((seed) =>
    Object.values(layer.init(seed)).map(({ weight }) => weight.data[0]),
  );
  expect(new Set(firsts).size).toBe(6);
});
