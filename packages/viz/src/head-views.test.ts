import fc from "fast-check";
import { expect, test } from "vitest";
import { headView } from "./head-view.js";
import { modelView } from "./model-view.js";
import { neuronView } from "./neuron-view.js";

/** Softmax of random scores over the keys that a query sees; the rest is the sink's. */
function softmaxWeights(
  { H, T, window, sink }: { H: number; T: number; window: number; sink: number },
  seed = 1,
) {
  const data: number[] = [];
  for (let n = 0; n < H * T * T; n++) {
    const [h, t, s] = [Math.floor(n / T / T), Math.floor(n / T) % T, n % T];
    const seen = s <= t && s > t - window;
    data.push(seen ? Math.exp(Math.sin(seed + 3 * h + 5 * t + 7 * s)) : 0);
  }
  for (let row = 0; row < H * T; row++) {
    const total = data.slice(row * T, (row + 1) * T).reduce((a, b) => a + b) + sink;
    for (let s = 0; s < T; s++) data[row * T + s]! /= total;
  }
  return { data, shape: [1, H, T, T] };
}
const titles = (svg: string) => [...svg.matchAll(/<title>(.*?)<\/title>/g)].map(([, text]) => text!);
const words = ["a", "b", "c", "d", "e", "f"];
const size = fc.integer({ min: 2, max: 6 });

test("property: the head view has a line for each weight that is drawn, and a sink's share makes each row 1", () => {
  fc.assert(
    fc.property(size, size, fc.nat(99), (T, window, seed) => {
      const weights = softmaxWeights({ H: 2, T, window, sink: 2 }, seed);
      const svg = headView(weights, { rowLabels: words.slice(0, T), sink: true, minWeight: 0 });
      const numbers = titles(svg).filter((text) => text.startsWith("head "));
      for (const head of [0, 1]) {
        for (let t = 0; t < T; t++) {
          const row = numbers.filter((text) => text.startsWith(`head ${head}, query “${words[t]}”`));
          const total = row.map((text) => Number(text.split(": ")[1])).reduce((a, b) => a + b);
          expect(total).toBeCloseTo(1, 2);
        }
      }
    }),
  );
});

test("one query: keys outside of its window are struck out, first keys are underlined, and no other query has lines", () => {
  const weights = softmaxWeights({ H: 1, T: 6, window: 3, sink: 0 });
  const svg = headView(weights, { rowLabels: words, window: 3, keepFirst: 1, query: 5 });
  expect(titles(svg).filter((text) => text.endsWith("outside of the window"))).toEqual([
    "b is outside of the window",
    "c is outside of the window",
  ]);
  expect(titles(svg)).toContain("a is kept for ever");
  const lines = titles(svg).filter((text) => text.startsWith("head 0"));
  expect(lines.every((text) => text.includes("query “f”"))).toBe(true);
  expect(lines.length).toBe(3);
});

test("heads that share keys and values have one bar, in both views", () => {
  const weights = softmaxWeights({ H: 4, T: 3, window: 3, sink: 0 });
  const bars = ["keys and values of head 0", "keys and values of head 1"];
  const shared = headView(weights, { rowLabels: words.slice(0, 3), numKvHeads: 2 });
  expect(titles(shared).filter((text) => text.startsWith("keys and values"))).toEqual(bars);
  const own = headView(weights, { rowLabels: words.slice(0, 3) });
  expect(titles(own).some((text) => text.startsWith("keys and values"))).toBe(false);

  const view = modelView([weights, weights], { marks: [{ numKvHeads: 2 }, {}] });
  const groups = titles(view).filter((text) => text.startsWith("keys and values"));
  expect(groups).toEqual(["keys and values 0, of heads 0 to 1", "keys and values 1, of heads 2 to 3"]);
});

test("the model view has a map for each head, names the marks of each layer, and hatches keys outside of the window", () => {
  const [full, slid] = [6, 2].map((window) => softmaxWeights({ H: 2, T: 6, window, sink: 1 }));
  const svg = modelView([full!, slid!], { marks: [{}, { window: 2, keepFirst: 1, sink: true }] });
  expect(titles(svg).filter((text) => /^layer \d, head \d/.test(text)).length).toBe(4);
  expect(svg).toContain("2 heads · window 2 · keeps 1 · sink");
  expect(svg.match(/<path [^>]*qkv-line-hatch/g)?.length).toBe(2); // the two heads of the layer that slides
  expect(svg.match(/width="6" height="[\d.]+" fill-opacity/g)?.length).toBe(12); // a sink's share for each query
});

test("property: the neuron view's score is the scaled dot product, and its weights sum to 1 with the sink's", () => {
  fc.assert(
    fc.property(size, size, fc.nat(99), fc.boolean(), (S, D, seed, sink) => {
      const number = (n: number) => Math.sin(seed + n);
      const query = { data: Array.from({ length: D }, (_, d) => number(d)), shape: [D] };
      const key = { data: Array.from({ length: S * D }, (_, n) => number(9 + n)), shape: [S, D] };
      const options = { columnLabels: words.slice(0, S), ...(sink && { sinkLogit: 0.5 }) };
      const read = (what: string) =>
        titles(neuronView(query, key, options))
          .filter((text) => text.includes(`, ${what}: `))
          .map((text) => Number(text.split(": ")[1]));
      const dot = query.data.reduce((sum, q, d) => sum + q * key.data[d]!, 0) / Math.sqrt(D);
      expect(read("score")[0]).toBeCloseTo(dot, 3);
      expect(read("weight").length).toBe(S + Number(sink));
      expect(read("weight").reduce((a, b) => a + b)).toBeCloseTo(1, 2);
    }),
  );
});

test("the neuron view masks later keys and keys outside of the window, but not the first ones", () => {
  const query = { data: [1, -1], shape: [2] };
  const key = { data: [1, 0, 0, 1, 1, 1, -1, 0, 2, 2], shape: [5, 2] };
  const view = { columnLabels: words.slice(0, 5), place: 3, window: 2, keepFirst: 1 };
  const told = titles(neuronView(query, key, view));
  expect(told).toContain("key “b”: masked, it has left the window");
  expect(told).toContain("key “e”: masked, it is still to come");
  expect(told).toContain("a is kept for ever");
  expect(told.filter((text) => text.includes(", weight: ")).length).toBe(3);
});

test.each([
  [
    "head-view",
    () =>
      headView(softmaxWeights({ H: 4, T: 5, window: 3, sink: 1 }), {
        rowLabels: ["the", "cat", "sat", "down", "."],
        numKvHeads: 2,
        window: 3,
        sink: true,
        title: "Four heads",
        query: 4,
      }),
  ],
  [
    "model-view",
    () =>
      modelView(
        [
          softmaxWeights({ H: 4, T: 6, window: 6, sink: 0 }),
          softmaxWeights({ H: 4, T: 6, window: 3, sink: 1 }, 2),
        ],
        { marks: [{ numKvHeads: 2 }, { numKvHeads: 1, window: 3, sink: true }], title: "Two layers" },
      ),
  ],
  [
    "neuron-view",
    () =>
      neuronView(
        { data: [1, -0.5, 2, 0], shape: [4] },
        { data: [1, 0, 1, 0, -1, 1, 0, 1, 0.5, -2, 1, 1, 2, 0, 0, 1], shape: [4, 4] },
        { columnLabels: ["the", "cat", "sat", "down"], window: 3, sinkLogit: 0, title: "One query" },
      ),
  ],
])("golden: %s, reviewed as a picture", async (name, draw) => {
  await expect(draw()).toMatchFileSnapshot(`../snapshots/${name}.svg`);
});

test.each([
  [
    () =>
      headView(softmaxWeights({ H: 4, T: 2, window: 2, sink: 0 }), { rowLabels: ["a", "b"], numKvHeads: 3 }),
    "headView: `numKvHeads` is 3, expected a divisor of 4 heads",
  ],
  [
    () => headView(softmaxWeights({ H: 1, T: 2, window: 2, sink: 0 }), { rowLabels: ["a"] }),
    '`rowLabels` is "1 labels", expected 2',
  ],
  [
    () => headView(softmaxWeights({ H: 1, T: 2, window: 2, sink: 0 }), { rowLabels: ["a", "b"], heads: [1] }),
    "`heads` is 1, expected an integer, 0 or more and at most 0",
  ],
  [
    () => headView({ data: [1], shape: [1, 1] }, { rowLabels: ["a"] }),
    "headView: `weights` has shape [1, 1], expected [B, H, T, S]",
  ],
  [() => modelView([]), 'modelView: `layers` is "no layer"'],
  [
    () => modelView([softmaxWeights({ H: 1, T: 2, window: 2, sink: 0 })], { marks: [{ window: 0 }] }),
    "`window` is 0, expected an integer number of tokens",
  ],
  [
    () => neuronView({ data: [1], shape: [1] }, { data: [1, 2], shape: [1, 2] }, { columnLabels: ["a"] }),
    "neuronView: `key` has shape [1, 2], expected [S, 1]",
  ],
  [
    () =>
      neuronView({ data: [1], shape: [1] }, { data: [1], shape: [1, 1] }, { columnLabels: ["a"], place: 1 }),
    "`place` is 1, expected an integer, 0 or more and at most 0",
  ],
])("%# is refused", (draw, message) => {
  expect(draw).toThrow(message);
});
