import {
  calibrate,
  cost,
  estimate,
  machines,
  measure,
  readConfig,
} from "@qkv/cost";
import { choice, print, show } from "@qkv/page";
import { linear, ones } from "@qkv/tensor";
import { roofline } from "@qkv/viz";
import { wasm } from "@qkv/wasm";

const users = Array.from({ length: 10 }, (_, i) => 2 ** i);
const batchSize = choice("users at a time", users);

// Time products of rows and matrices on this device: few rows and many, little
// memory and much.
const device = await wasm();
const samples = measure(
  ({ rows, width, matrices }) => {
    const x = ones([rows, width]).to(device);
    const weights = Array.from({ length: matrices }, () =>
      ones([width, width]).to(device),
    );
    return () =>
      device.scope(() => {
        for (const weight of weights) linear(x, weight);
      });
  },
  { budgetMs: 15, mostBytes: 20e6 },
);
const here = calibrate(samples);
print(
  "this tab:",
  `${(here.bytesPerSecond / 1e9).toFixed(1)} GB/s,`,
  `${(here.flopsPerSecond / 1e9).toFixed(1)} GFLOP/s,`,
  `${(here.overheadMs * 1000).toFixed(1)} µs to start an operation`,
);
const [small, large] = [samples.at(-3), samples.at(-1)]; // a row over 17 MB; 256 rows
if (!small || !large) throw new Error("nothing was measured");

const llama = {
  model_type: "llama",
  hidden_size: 4096,
  num_hidden_layers: 32,
  num_attention_heads: 32,
  intermediate_size: 11008,
  vocab_size: 32000,
};
const shapes = [32, 8, 1].map((numKvHeads) =>
  readConfig({ ...llama, num_key_value_heads: numKvHeads }),
);
const [multiHead, , multiQuery] = shapes;
if (!multiHead || !multiQuery) throw new Error("three shapes");
const h100 = { ...machines.h100, overheadMs: 0 };
const passes = [
  {
    label: "token, MHA",
    taken: cost(multiHead, { batchSize, contextLength: 8192 }),
    meaning: "key",
  },
  {
    label: "token, MQA",
    taken: cost(multiQuery, { batchSize, contextLength: 8192 }),
    meaning: "value",
  },
  {
    label: "prompt",
    taken: cost(multiHead, { queryLength: 8192, outputLength: 1 }),
    meaning: "query",
  },
] as const;
const dots = [
  ...passes.map(({ taken, label, meaning }) => {
    const { timeMs, boundBy } = estimate(taken, h100);
    print(
      `${label}: ${taken.intensity.toFixed(1)} FLOPs per byte, bound by ${boundBy}`,
    );
    return {
      label,
      meaning,
      x: taken.intensity,
      y: (1000 * taken.flops) / timeMs,
    };
  }),
  ...[
    { label: "one row, measured here", sample: small },
    { label: "256 rows, measured here", sample: large },
  ].map(({ label, sample }) => ({
    label,
    meaning: "cost" as const,
    x: sample.flops / sample.bytes,
    y: (1000 * sample.flops) / sample.timeMs,
  })),
];
show(
  roofline(
    { data: dots.flatMap(({ x, y }) => [x, y]), shape: [dots.length, 2] },
    [
      { ...h100, label: "H100" },
      { ...here, label: "this tab" },
    ],
    {
      labels: dots.map(({ label }) => label),
      meanings: dots.map(({ meaning }) => meaning),
      title: "Llama 7B, 8,192 tokens",
    },
  ),
);
const [token, , prompt] = dots;
if (!token || !prompt || token.x >= prompt.x)
  throw new Error("a token does more operations per byte than a prompt");
const [before, after] = [passes[0].taken.intensity, passes[1].taken.intensity];
if (after < before) throw new Error("fewer key-value heads read more bytes");
