import {
  add,
  checkGradient,
  count,
  grad,
  linear,
  mapTensors,
  mul,
  randn,
  sum,
  tensorsOf,
  valueAndGrad,
  type Tensor,
} from "@qkv/tensor";
import { adamW } from "@qkv/tensor/optimizers";
import "@qkv/test-support/allclose";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decoder } from "../models/decoder.js";
import { tokenLoss } from "../training/losses.js";
import { nextTokenBatches } from "../training/next-token-batches.js";
import { trainStep } from "../training/train-step.js";
import { lora } from "./lora.js";
import { adaptedLinear, type LowRankWeight } from "./low-rank-weight.js";

const dtype = "float64" as const;
const size = fc.integer({ min: 1, max: 4 });
type Factors = { x: Tensor; a: Tensor; b: Tensor; bias: Tensor };

/** Factors, and Σ y · upstream computed with the merged matrix (`adapted`) and with low-rank products (`plain`). */
function setup(inner: number, out: number, r: number, tokens: number) {
  const [base, upstream] = [
    randn([out, inner], { seed: 1, dtype }),
    randn([1, tokens, out], { seed: 6, dtype }),
  ];
  const factors: Factors = {
    x: randn([1, tokens, inner], { seed: 2, dtype }),
    a: randn([r, inner], { seed: 3, dtype }),
    b: randn([out, r], { seed: 4, dtype }),
    bias: randn([out], { seed: 5, dtype }),
  };
  const scale = 0.7;
  const adapted = ({ x, a, b, bias }: Factors) => {
    const weight: LowRankWeight = { base, a, b, scale };
    return sum(mul(adaptedLinear()(x, weight as unknown as Tensor, bias), upstream));
  };
  const plain = ({ x, a, b, bias }: Factors) =>
    sum(mul(add(linear(x, base, bias), linear(mul(linear(x, a), scale), b)), upstream));
  return { factors, adapted, plain };
}

test("property: the merged matrix gives the value and the gradients of the low-rank products", () => {
  fc.assert(
    fc.property(size, size, size, (inner, out, r) => {
      const { factors, adapted, plain } = setup(inner, out, r, 16);
      const [[y, gradient], [expectedY, expectedGradient]] = [adapted, plain].map((f) =>
        valueAndGrad(f)(factors),
      ) as [[Tensor, Factors], [Tensor, Factors]];
      expect(y.data).toBeAllclose(expectedY.data, { rtol: 1e-12, atol: 1e-12 });
      for (const [i, x] of tensorsOf(expectedGradient).entries())
        expect(tensorsOf(gradient)[i]!.data).toBeAllclose(x.data, { rtol: 1e-11, atol: 1e-11 });
    }),
  );
});

test("the gradient of the gradient equals that of the low-rank products", () => {
  const { factors, adapted, plain } = setup(3, 2, 2, 16);
  const secondOrder = (f: (factors: Factors) => Tensor) =>
    grad((factors: Factors) =>
      tensorsOf(grad(f)(factors)).reduce((total, x) => add(total, sum(mul(x, x))), sum(mul(factors.bias, 0))),
    )(factors);
  const [actual, expected] = [secondOrder(adapted), secondOrder(plain)];
  for (const [i, x] of tensorsOf(expected).entries())
    expect(tensorsOf(actual)[i]!.data).toBeAllclose(x.data, { rtol: 1e-10, atol: 1e-10 });
  checkGradient((a) => adapted({ ...factors, a }), factors.a);
});

test("a training step of an adapter of all linear layers takes less than 0.74 of the FLOPs of full training", () => {
  const config = {
    ...{ vocabSize: 64, embedDim: 64, hiddenDim: 176, numLayers: 2, numHeads: 4, numKvHeads: 2 },
    ...{ contextLength: 64, normEps: 1e-5, stopIds: [] },
  };
  const text = Array.from({ length: 900 }, (_, i) => (i * i) % 64);
  const batchAt = nextTokenBatches(text, { batchSize: 4, contextLength: 64, seed: 1 });
  const model = decoder(config);
  const optimizer = adamW({ learningRate: 1e-3 });
  const params = model.init(1);
  const tuned = lora(
    { config, params: mapTensors(params, (x) => x) },
    { r: 2, target_modules: "all-linear" },
  );
  const adapter = tuned.init(1);
  const fullStep = trainStep({ loss: tokenLoss(model), optimizer });
  const adapterStep = trainStep({ loss: tokenLoss(tuned), optimizer });
  const full = count(() => fullStep(params, optimizer.init(params), [batchAt(0)]));
  const adapted = count(() => adapterStep(adapter, optimizer.init(adapter), [batchAt(0)]));
  expect(adapted.flops / full.flops).toBeLessThan(0.74);
});
