import { checkGradient, mean, mul, randn, slice, tensor, tensorsOf, type Tensor } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { interpolatePositions } from "../layers/position-grid.js";
import { labelScores, taskLogits } from "./task-head.js";
import { visionTransformer, type VisionTransformerConfig } from "./vision-transformer.js";

const sizes: VisionTransformerConfig = {
  ...{ imageSize: 12, patchSize: 4, embedDim: 8, hiddenDim: 12, numLayers: 2, numHeads: 2, normEps: 1e-6 },
};
const pixels = randn([2, 3, 12, 12], { seed: 2 });

test.each<[string, Partial<VisionTransformerConfig>, rows: number]>([
  ["ViT", {}, 10],
  ["DINOv2", { layerScale: true, gated: true, activation: "silu" }, 10],
  ["DeiT", { distillationToken: true }, 11],
  ["DINOv2 with registers", { layerScale: true, registers: 3 }, 13],
  ["CLIP", { patchBias: false, embeddingNorm: true, finalNorm: "pooled" }, 10],
  ["SigLIP", { classToken: false, pooling: "attention" }, 9],
])("the options of %s: a row for each token and patch, and one vector per image", (_, traits, rows) => {
  const model = visionTransformer({ ...sizes, ...traits });
  const params = model.init(1);
  const out = model.apply(params, pixels);
  expect(out.shape).toEqual([2, rows, 8]);
  expect(model.pool(params, out).shape).toEqual([2, 8]);
  // Images of a batch do not see each other.
  const second = model.apply(params, slice(pixels, 0, 1, 2));
  expect(second.data).toBeAllclose(slice(out, 0, 1, 2).data, { rtol: 0, atol: 1e-6 });
});

test("without positions, moving a patch moves its row", () => {
  const model = visionTransformer({ ...sizes, numLayers: 0 });
  const params = model.init(1);
  const still = { ...params, positions: { weight: mul(params.positions.weight, 0) } };
  const image = (at: number) => {
    const data = new Float32Array(3 * 12 * 12);
    for (let y = 0; y < 4; y++) for (let x = 0; x < 4; x++) data[(y + 4) * 12 + x + 4 * at] = y + 4 * x + 1;
    return tensor(data, { shape: [1, 3, 12, 12] });
  };
  const [left, right] = [0, 2].map((at) => model.apply(still, image(at)));
  // Row 0 is that of the class token; the second line of patches begins at row 4.
  expect(slice(left!, 1, 4, 5).data).toEqual(slice(right!, 1, 6, 7).data);
  expect(slice(left!, 1, 4, 5).data).not.toEqual(slice(right!, 1, 4, 5).data);
});

test("rows of class, distillation and register tokens precede patches; registers have no positions", () => {
  const traits = { distillationToken: true, registers: 2, numLayers: 0 };
  const model = visionTransformer({ ...sizes, ...traits });
  const params = model.init(1);
  // Rows before the first layer, without a norm.
  const tensors: Record<string, Tensor> = {};
  const embeddingRows = (image: Tensor) => {
    model.apply(params, image, { trace: { names: ["embeddings"], tensors } });
    return tensors["embeddings"]!;
  };
  const rows = embeddingRows(pixels);
  expect(rows.shape).toEqual([2, 13, 8]);
  expect(slice(slice(rows, 0, 0, 1), 1, 2, 4).data).toEqual(params.registers!.weight.data);
  const position = (i: number) => slice(params.positions.weight, 0, i, i + 1).data;
  const token = (x: Tensor, i: number) =>
    Float32Array.from(x.data, (value, c) => Number(value) + Number(position(i)[c]));
  expect(slice(slice(rows, 0, 0, 1), 1, 0, 1).data).toEqual(token(params.classToken!.weight, 0));
  expect(slice(slice(rows, 0, 0, 1), 1, 1, 2).data).toEqual(token(params.distillationToken!.weight, 1));
  // Tokens keep their positions where those of patches are interpolated.
  const wide = embeddingRows(randn([2, 3, 12, 16], { seed: 3 }));
  expect(wide.shape).toEqual([2, 16, 8]);
  expect(slice(wide, 1, 0, 4).data).toEqual(slice(rows, 1, 0, 4).data);
});

test("positions are interpolated for other image sizes, and partial patches are cut", () => {
  const model = visionTransformer(sizes);
  const params = model.init(1);
  expect(model.apply(params, randn([1, 3, 16, 8], { seed: 3 })).shape).toEqual([1, 9, 8]);
  const wide = randn([1, 3, 12, 15], { seed: 3 });
  expect(model.apply(params, wide).data).toEqual(model.apply(params, slice(wide, 3, 0, 12)).data);
});

test("golden: interpolatePositions with antialias equals interpolate of PyTorch", () => {
  // By hand, a = -0.5: one position in the middle of two is their mean.
  const antialiased = interpolatePositions(tensor([[0], [1]]), [1, 2], [1, 1], { antialias: true });
  expect(antialiased.data).toBeAllclose([0.5], { rtol: 0, atol: 1e-6 });
  // PyTorch 2.6.0: interpolate(torch.tensor([[[[0., 1.]]]]), size=(1, 4), mode="bicubic", antialias=True)
  const four = interpolatePositions(tensor([[0], [1]]), [1, 2], [1, 4], { antialias: true });
  expect(four.data).toBeAllclose([-0.088235, 0.207143, 0.792857, 1.088235], { rtol: 0, atol: 1e-5 });
});

test("golden: interpolatePositions is bicubic with a = -0.75, as interpolate of PyTorch", () => {
  // By hand, a = -0.75: the first of four positions is 0.25 before the first of two, so 1.25 from the second, and
  // w(1.25) = -0.10546875; the next is 0.75 and 1.75 from the second and its repetition, w(0.75) + w(1.75) = 0.2265625.
  const four = interpolatePositions(tensor([[0], [1]]), [1, 2], [1, 4]);
  expect(four.data).toBeAllclose([-0.10546875, 0.2265625, 0.7734375, 1.10546875], { rtol: 0, atol: 1e-6 });
  const side = fc.integer({ min: 1, max: 6 });
  fc.assert(
    fc.property(side, side, side, side, (a, b, c, d) => {
      // Equal values stay equal, and a grid of the same size is unchanged.
      const equal = tensor(new Float32Array(a * b).fill(3), { shape: [a * b, 1] });
      expect(interpolatePositions(equal, [a, b], [c, d]).data).toBeAllclose(new Array(c * d).fill(3), {
        rtol: 0,
        atol: 1e-5,
      });
      const any = randn([a * b, 2], { seed: a + 7 * b });
      expect(interpolatePositions(any, [a, b], [a, b]).data).toBeAllclose([...any.data].map(Number), {
        rtol: 0,
        atol: 1e-6,
      });
    }),
  );
});

test("the gradient of the patch projection equals central differences", () => {
  const model = visionTransformer({
    ...sizes,
    ...{ imageSize: 4, patchSize: 2, embedDim: 4, hiddenDim: 6, numLayers: 1, layerScale: true },
    ...{ embeddingNorm: true, pooling: "attention" as const },
  });
  const wide = (x: Tensor) => tensor(Float64Array.from(x.data, Number), { shape: x.shape });
  const toDouble = <T>(tree: T): T =>
    (tree && typeof tree === "object" && !("shape" in tree)
      ? Array.isArray(tree)
        ? tree.map(toDouble)
        : Object.fromEntries(Object.entries(tree).map(([key, value]) => [key, toDouble(value as unknown)]))
      : wide(tree as unknown as Tensor)) as T;
  const params = toDouble(model.init(5));
  const image = randn([1, 3, 4, 4], { seed: 6, dtype: "float64" });
  const loss = (patches: Tensor) => {
    const changed = { ...params, patches: { ...params.patches, weight: patches } };
    const out = model.pool(changed, model.apply(changed, image));
    return mean(mul(out, out));
  };
  checkGradient(loss, params.patches.weight);
  expect(tensorsOf(params).length).toBeGreaterThan(20);
});

test("attention weights of layers and of pooling are traced by name", () => {
  const model = visionTransformer({ ...sizes, classToken: false, pooling: "attention" });
  const params = model.init(1);
  const tensors: Record<string, Tensor> = {};
  const trace = { names: ["weights"], tensors } as const;
  model.pool(params, model.apply(params, pixels, { trace }), { trace });
  expect(Object.keys(tensors)).toEqual([
    "layers.0.attention.weights",
    "layers.1.attention.weights",
    "pooling.attention.weights",
  ]);
  expect(tensors["layers.0.attention.weights"]!.shape).toEqual([2, 2, 9, 9]);
  expect(tensors["pooling.attention.weights"]!.shape).toEqual([2, 2, 1, 9]);
});

test.each([
  ["cls", 8],
  ["patches", 8],
  ["mean", 8],
  ["cls+patches", 16],
] as const)("an image head with pooling %s has the width of its input", (pooling, width) => {
  const head = { task: "image", labels: ["cat", "dog", "fish"], pooling } as const;
  const model = visionTransformer({ ...sizes, head });
  const params = model.init(1);
  expect(params.head!.output!.weight.shape).toEqual([3, width]);
  const logits = taskLogits({ config: model.config, params }, model.apply(params, pixels));
  expect(logits.shape).toEqual([2, 3]);
  expect([...labelScores(head, logits).data].reduce<number>((a, b) => a + Number(b), 0)).toBeCloseTo(2, 5);
});

test.each<[Partial<VisionTransformerConfig>, RegExp]>([
  [{ patchSize: 13 }, /`patchSize` is 13, expected at most imageSize = 12/],
  [
    { classToken: false, pooling: "attention", distillationToken: true },
    /`distillationToken` is true, expected false, as there is no class token.*\nFix: leave it out/,
  ],
  [{ registers: -1 }, /`registers` is -1, expected an integer, 0 or more/],
  [{ classToken: false }, /`classToken` is false, expected true, as `pooling` is "cls"/],
  [{ pooling: "max" as never }, /`pooling` is "max"/],
  [{ numHeads: 3 }, /numHeads|embedDim/],
])("the configuration %o is refused", (change, message) => {
  expect(() => visionTransformer({ ...sizes, ...change })).toThrow(message);
});

test("pixels of an invalid shape are refused, with the fix", () => {
  const model = visionTransformer(sizes);
  const params = model.init(1);
  for (const shape of [
    [3, 12, 12],
    [1, 1, 12, 12],
    [1, 3, 3, 12],
  ])
    expect(() => model.apply(params, randn(shape, { seed: 1 }))).toThrow(
      /^visionTransformer\.apply: `pixels` .*expected \[B, 3, height, width\].*\nFix: prepare images/,
    );
});
