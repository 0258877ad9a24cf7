import { check, print, show } from "@qkv/page";
import { mapTensors, mul, randn } from "@qkv/tensor";
import { adamW, paramGroups, warmupCosine } from "@qkv/tensor/optimizers";
import { decoder, generate } from "@qkv/transformer";
import {
  meanLoss,
  nextTokenBatches,
  readCheckpoint,
  tokenLoss,
  train,
  writeCheckpoint,
} from "@qkv/transformer/training";
import { lines } from "@qkv/viz";
import { wasm } from "@qkv/wasm";

const [blockSize, batchSize, steps, seed] = [32, 8, 120, 1337];
const device = await wasm();

// text, chars, encode, decode; the last tenth is held back
const pick = (list: string, n: number) => list.split(" ")[n]!;
const sentence = (_: unknown, i: number) =>
  `the ${pick("cat dog owl fox", (i * 7) % 4)} ${pick("sat ran slept", (i * 5) % 3)} ` +
  `on the ${pick("mat rug log hill roof", (i * 3) % 5)}.\n`;
const text = Array.from({ length: 240 }, sentence).join("");
const chars = [...new Set(text)].sort();
const encode = (s: string) => Array.from(s, (c) => chars.indexOf(c));
const decode = (ids: number[]) => ids.map((id) => chars[id]).join("");
const data = encode(text);
const n = Math.floor(0.9 * data.length);
const options = { batchSize, contextLength: blockSize, seed, device };
const trainBatch = nextTokenBatches(data.slice(0, n), options);
const evalBatch = nextTokenBatches(data.slice(n), options);

// class GPT(nn.Module)
const model = decoder({
  vocabSize: chars.length,
  contextLength: blockSize,
  embedDim: 32,
  hiddenDim: 4 * 32,
  numLayers: 2,
  numHeads: 4,
  numKvHeads: 4,
  norm: "layer",
  normEps: 1e-5,
  activation: "geluTanh",
  gated: false,
  bias: { queryKeyValue: true, attentionOutput: true, feedForward: true },
  positions: "learned",
  dropout: { attention: 0.1, residual: 0.1, embedding: 0.1 },
  stopIds: [],
});

// _init: normal with std 0.02; gains stay 1, biases 0
let draws = seed;
const params = mapTensors(model.init(seed), (x) =>
  (x.shape.length < 2 ? x : mul(randn(x.shape, { seed: draws++ }), 0.02)).to(
    device,
  ),
);

// AdamW with two groups, warm-up and cosine
const learningRate = warmupCosine({
  peak: 1e-2,
  floor: 1e-3,
  warmupSteps: 10,
  steps,
});
const groups = { learningRate, betas: [0.9, 0.99] as const };
const optimizer = paramGroups(
  [
    {
      params: (_, x) => x.shape.length < 2,
      optimizer: adamW({ ...groups, weightDecay: 0 }),
    },
  ],
  adamW({ ...groups, weightDecay: 0.1 }),
);

// dropout is on where the loss gets the number of a batch, and off in evaluation
const loss = tokenLoss(model, { dropoutSeed: seed });
const evaluate = (now: typeof params) =>
  meanLoss(
    loss,
    now,
    Array.from({ length: 5 }, (_, i) => evalBatch(i)),
  );
const common = { loss, optimizer, batchAt: trainBatch, maxNorm: 1 };

// for step in range(steps): …; torch.save
const losses: number[] = [];
let saved = new Uint8Array();
const first = train({ ...common, params, steps, evaluate, evaluateEvery: 40 });
for await (const { step, loss, gradientNorm, evaluation, state } of first) {
  losses.push(loss);
  if (step % 40 === 0)
    print(
      `step ${step}: loss ${loss.toFixed(3)}, held back ${evaluation!.toFixed(3)}, ` +
        `norm ${gradientNorm!.toFixed(2)}, lr ${learningRate(step).toExponential(1)}`,
    );
  if (step === 110)
    saved = new Uint8Array(
      await writeCheckpoint({ params, state, notes: { chars } }),
    );
}
show(
  lines(
    { data: losses, shape: [1, steps] },
    { title: "loss, in nats per character" },
  ),
);

// --resume: the last ten steps again, from the checkpoint
const resumed = await readCheckpoint<typeof params>(saved, { device });
const rest = { params: resumed.params, state: resumed.state, steps };
const again: number[] = [];
for await (const { loss } of train({ ...common, ...rest })) again.push(loss);
check(
  "a resumed run has the same losses",
  String(again) === String(losses.slice(110)),
);

// sample(): the window of the last blockSize tokens
const trained = { ...model, params, tokenizer: undefined };
const ids = encode("the ");
while (ids.length < 90)
  for await (const { id } of generate(trained, ids.slice(-blockSize), {
    maxTokens: 1,
    sampling: { temperature: 0.8, topK: 20, seed: ids.length },
  }))
    ids.push(id);
print(decode(ids));
