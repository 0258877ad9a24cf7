import "@qkv/test-support/allclose";
import { secondGradients } from "@qkv/attention";
import { grad, jvp, mapTensors, randn, reshape, slice, tensorsOf, type Tensor, vmap } from "@qkv/tensor";
import { expect, test } from "vitest";
import { decoder } from "../models/decoder.js";
import { tokenLoss } from "./losses.js";
import { nextTokenBatches } from "./next-token-batches.js";

const model = decoder({
  ...{ vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 2, numHeads: 2, numKvHeads: 1 },
  ...{ contextLength: 16, normEps: 1e-5, stopIds: [] },
});
const params = model.init(1);
const text = Array.from({ length: 300 }, (_, i) => (i * i + (i >> 2)) % 11);
const { ids, targets } = nextTokenBatches(text, { batchSize: 3, contextLength: 6, seed: 1 })(0);
const loss = tokenLoss(model);
const exampleLoss = (p: typeof params, ids: Tensor, targets: Tensor) =>
  loss(p, { ids: reshape(ids, [1, 6]), targets: reshape(targets, [1, 6]) });

test("vmap of grad equals the gradients of each row alone", () => {
  const batchGradients = vmap(grad(exampleLoss), { inAxes: [null, 0, 0] })(params, ids, targets);
  for (let n = 0; n < 3; n++) {
    const row = (x: Tensor) => reshape(slice(x, 0, n, n + 1), [6]);
    const alone = tensorsOf(grad(exampleLoss)(params, row(ids), row(targets)));
    tensorsOf(batchGradients).forEach((x, i) => {
      const gradient = reshape(slice(x, 0, n, n + 1), alone[i]!.shape);
      expect(gradient.data).toBeAllclose(alone[i]!.data, { rtol: 1e-4, atol: 1e-5 });
    });
  }
});

test("Hessian-vector products of the loss are symmetric: uᵀHv equals vᵀHu", () => {
  const [row, target] = [reshape(slice(ids, 0, 0, 1), [6]), reshape(slice(targets, 0, 0, 1), [6])];
  const gradient = (p: typeof params) => grad(exampleLoss)(p, row, target);
  let seed = 0;
  const direction = () => mapTensors(params, ({ shape }) => randn(shape, { seed: ++seed }));
  const [u, v] = [direction(), direction()];
  const hessianTimes = (d: typeof params) => secondGradients(() => jvp(gradient, params, d).tangent);
  const dot = (a: typeof params, b: typeof params) => {
    const other = tensorsOf(b);
    return tensorsOf(a).reduce(
      (total, x, i) =>
        total + Array.from(x.data).reduce((sum, value, n) => sum + value * other[i]!.data[n]!, 0),
      0,
    );
  };
  const [uHv, vHu] = [dot(u, hessianTimes(v)), dot(v, hessianTimes(u))];
  expect(Math.abs(uHv)).toBeGreaterThan(0.01);
  expect(uHv).toBeCloseTo(vHu, 2);
});
