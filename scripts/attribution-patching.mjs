// Compares attribution patching with exact activation patching on seeded pairs of prompts, in every layer of the small
// model: prints the distribution of the error, and how much smaller steps reduce it.
//   node scripts/attribution-patching.mjs [pairs] [--json FILE]
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import {
  activationPatching,
  attributionPatching,
  logitDifference,
  runWithTrace,
} from "../packages/lens/dist/index.js";
import { modelTiny } from "../packages/model-tiny/dist/index.js";
import { add, argmax, mul, sub } from "../packages/tensor/dist/index.js";
import { load } from "../packages/transformer/dist/index.js";
import { wasm } from "../packages/wasm/dist/index.js";

const wanted = Number(process.argv[2]) || 200;
const to = process.argv.includes("--json") ? process.argv[process.argv.indexOf("--json") + 1] : undefined;

const words = {
  animal: ["cat", "dog", "goat", "bird", "fox", "mouse", "horse", "bear", "frog", "cow"],
  place: ["garden", "house", "river", "kitchen", "forest", "school", "field", "market"],
  thing: ["ball", "book", "cake", "boat", "hat", "apple", "drum", "cup"],
};
const frames = [
  (a, p, t) => [`The ${a} went to the ${p} with the`, `The ${a} went to the ${t} with the`],
  (a, p, t) => [`The ${a} found a ${t} in the`, `The ${a} found a ${p} in the`],
  (a, p, t, b) => [`The ${a} had a race with the`, `The ${b} had a race with the`],
  (a, p, t, b) => [`Once upon a time the ${a} saw a ${t}. The`, `Once upon a time the ${b} saw a ${t}. The`],
];

/** Returns a seeded generator of integers below `n`. */
function random(seed) {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

const model = await load(await modelTiny(), { device: await wasm() });
const { numLayers } = model.config;
const below = random(1);
const pick = (list) => list[below(list.length)];
const best = (ids) => argmax(model.apply(model.params, ids, { last: 1 }), { axis: -1 }).data[0];

const rows = [];
const pairs = [];
for (let tries = 0; pairs.length < wanted && tries < 100 * wanted; tries++) {
  const [a, b] = pick(frames)(pick(words.animal), pick(words.place), pick(words.thing), pick(words.animal));
  const [input, source] = [a, b].map((text) => model.tokenizer.encode(text, { addSpecialTokens: false }));
  const [token, minus] = [best(source), best(input)];
  // The metric is the logit difference between the two predicted tokens. Pairs with the same prediction have none.
  if (input.length !== source.length || token === minus || pairs.some((one) => one.key === `${a}|${b}`))
    continue;
  pairs.push({ key: `${a}|${b}`, input, source, metric: logitDifference({ token, minus }) });
}

for (const [n, { key, input, source, metric }] of pairs.entries()) {
  if (n % 20 === 0) console.error(`pair ${n} of ${pairs.length}`);
  const options = { metric, names: ["output", "attentionOutput", "feedForwardOutput"] };
  const [exact, estimate] = [
    await activationPatching(model, input, source, options),
    await attributionPatching(model, input, source, options),
  ];
  const whole = Math.abs(exact.source - exact.unpatched);
  exact.names.forEach((name, row) => {
    for (let position = 0; position < input.length; position++) {
      const at = row * input.length + position;
      const effect = exact.values.data[at] - exact.unpatched;
      const estimated = estimate.values.data[at] - estimate.unpatched;
      if (effect === 0 && estimated === 0) continue; // the prompts agree up to this position
      rows.push({ key, name, position, effect, estimated, error: (estimated - effect) / whole, whole });
    }
  });
}

const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN;
function summary(list) {
  const errors = list.map(({ error }) => Math.abs(error)).sort((a, b) => a - b);
  const mean = (f) => list.reduce((sum, one) => sum + f(one), 0) / list.length;
  const [mx, my] = [mean(({ effect }) => effect), mean(({ estimated }) => estimated)];
  const covariance = mean(({ effect, estimated }) => (effect - mx) * (estimated - my));
  const spread = (f, m) => Math.sqrt(mean((one) => (f(one) - m) ** 2));
  const correlation =
    covariance / (spread(({ effect }) => effect, mx) * spread(({ estimated }) => estimated, my));
  const large = list.filter(({ effect, whole }) => Math.abs(effect) > whole / 10);
  const sameSign =
    large.filter(({ effect, estimated }) => Math.sign(effect) === Math.sign(estimated)).length / large.length;
  return {
    patches: list.length,
    correlation,
    sameSign,
    median: quantile(errors, 0.5),
    p90: quantile(errors, 0.9),
    p99: quantile(errors, 0.99),
    largest: errors.at(-1),
  };
}

const kinds = ["attentionOutput", "feedForwardOutput", "output"];
const table = Array.from({ length: numLayers }, (_, layer) =>
  kinds.map((kind) => {
    const name = `layers.${layer}.${kind}`;
    return { name, ...summary(rows.filter((row) => row.name === name)) };
  }),
).flat();

// Repeats the worst patches with 1/2, 1/4 and 1/8 of the step: a second-order error falls as its square.
const worst = rows.toSorted((a, b) => Math.abs(b.error) - Math.abs(a.error)).slice(0, 20);
const steps = [1, 0.5, 0.25, 0.125];
const shrinking = worst.map(({ key, name, position, estimated }) => {
  const { input, source, metric } = pairs.find((one) => one.key === key);
  const [own, other] = [input, source].map(
    (ids) => runWithTrace(model, ids, { names: [name] }).tensors[name],
  );
  const measure = (hooks) => metric(runWithTrace(model, input, { names: [], hooks }).logits).data[0];
  const unpatched = measure({});
  const at = (step) => {
    const [, T, C] = own.shape;
    const moved = add(own, mul(sub(other, own), step));
    const data = own.data.slice();
    data.set(moved.data.slice(position * C, (position + 1) * C), position * C);
    return measure({ [name]: (x) => add(mul(x, 0), sameShape(data, T, C, x)) });
  };
  return steps.map((step) => Math.abs(step * estimated - (at(step) - unpatched)) / step);
});
function sameShape(data, T, C, like) {
  const { constructor: Tensor, device } = like;
  return new Tensor(device, device.fromHost(like.dtype, data), [1, T, C]);
}
const medians = steps.map((_, i) =>
  quantile(
    shrinking.map((list) => list[i] / list[0]).sort((a, b) => a - b),
    0.5,
  ),
);

console.log(
  `${pairs.length} pairs, ${rows.length} patches; ${cpus()[0]?.model ?? "this processor"}, Node ${process.versions.node}`,
);
console.log("error: estimate less exact effect, as a share of the difference between both runs");
console.table(
  table.map(({ name, patches, ...numbers }) => ({
    name,
    patches,
    ...Object.fromEntries(Object.entries(numbers).map(([key, x]) => [key, Number(x.toFixed(3))])),
  })),
);
console.log(`all: ${JSON.stringify(summary(rows))}`);
console.log(
  `relative error of the ${worst.length} worst patches at steps ${steps.join(", ")}: ${medians.map((x) => x.toFixed(2)).join(", ")} of the whole step's`,
);
if (to)
  writeFileSync(
    to,
    JSON.stringify({ pairs: pairs.length, table, all: summary(rows), steps, medians }, null, 2),
  );
