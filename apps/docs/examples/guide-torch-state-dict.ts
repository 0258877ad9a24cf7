import { attention, causal } from "@qkv/attention";
import { check, print } from "@qkv/page";
import {
  abs,
  add,
  arange,
  crossEntropy,
  dropout,
  embedding,
  gelu,
  layerNorm,
  linear,
  mapTensors,
  max,
  mul,
  ones,
  randn,
  reshape,
  split,
  sub,
  transpose,
  type Tensor,
} from "@qkv/tensor";
import { adamW } from "@qkv/tensor/optimizers";
import { decoder, type DecoderParams } from "@qkv/transformer";
import { nextTokenBatches, train, type Batch } from "@qkv/transformer/training";
import { wasm } from "@qkv/wasm";

const [V, C, L, H, blockSize, rate] = [11, 16, 2, 4, 8, 0.1];
const device = await wasm();

// The state_dict() of the script above, here with random numbers. From a file:
// const { tensors: state } = await readSafetensors("model.safetensors");
const layerShapes = {
  ln_1: [C],
  "attn.qkv": [3 * C, C],
  "attn.proj": [C, C],
  ln_2: [C],
  "mlp.0": [4 * C, C],
  "mlp.2": [C, 4 * C],
};
const state: Record<string, Tensor> = {
  "wte.weight": mul(randn([V, C], { seed: 1 }), 0.1),
  "wpe.weight": mul(randn([blockSize, C], { seed: 2 }), 0.1),
};
const put = (name: string, shape: number[], seed: number) => {
  const weight = mul(randn(shape, { seed }), 0.1);
  state[`${name}.weight`] =
    shape.length < 2 ? add(ones(shape), weight) : weight;
  state[`${name}.bias`] = mul(randn([shape[0]!], { seed: seed + 50 }), 0.1);
};
for (let i = 0; i < L; i++)
  Object.entries(layerShapes).forEach(([name, shape], n) =>
    put(`blocks.${i}.${name}`, shape, 3 + 6 * i + n),
  );
put("ln_f", [C], 40);

// GPT.forward: params are the state_dict, under its names
function forward(p: Record<string, Tensor>, ids: Tensor, dropoutSeed?: number) {
  let place = 0;
  const dropped = () => ({ rate, seed: 100 * dropoutSeed! + place++ });
  const drop = (x: Tensor) =>
    dropoutSeed === undefined ? x : dropout(x, dropped());
  const module = (name: string) =>
    [p[`${name}.weight`]!, p[`${name}.bias`]!] as const;
  const [B, T] = ids.shape as [number, number];
  const heads = (x: Tensor) => transpose(reshape(x, [B, T, H, C / H]), 1, 2);

  const positions = arange(T, { dtype: "int32", device: ids.device });
  let x = drop(
    add(
      embedding(p["wte.weight"]!, ids),
      embedding(p["wpe.weight"]!, positions),
    ),
  );
  for (let i = 0; i < L; i++) {
    const block = (name: string) => module(`blocks.${i}.${name}`);
    const fused = linear(layerNorm(x, ...block("ln_1")), ...block("attn.qkv"));
    const [query, key, value] = split(fused, 3, -1).map(heads) as [
      Tensor,
      Tensor,
      Tensor,
    ];
    const attended = attention(query, key, value, {
      mask: causal(),
      ...(dropoutSeed !== undefined && { dropout: dropped() }),
    });
    const joined = reshape(transpose(attended, 1, 2), [B, T, C]);
    x = add(x, drop(linear(joined, ...block("attn.proj"))));
    const up = linear(layerNorm(x, ...block("ln_2")), ...block("mlp.0"));
    x = add(
      x,
      drop(linear(gelu(up, { approximate: "tanh" }), ...block("mlp.2"))),
    );
  }
  return linear(layerNorm(x, ...module("ln_f")), p["wte.weight"]!);
}

// The same weights as params of `decoder`, which brings caches, generation and export
const model = decoder({
  ...{ vocabSize: V, contextLength: blockSize, embedDim: C, hiddenDim: 4 * C },
  ...{ numLayers: L, numHeads: H, numKvHeads: H, normEps: 1e-5, stopIds: [] },
  ...{
    norm: "layer",
    activation: "geluTanh",
    gated: false,
    positions: "learned",
  },
});
const module = (name: string) => ({
  weight: state[`${name}.weight`]!,
  ...(state[`${name}.bias`] && { bias: state[`${name}.bias`]! }),
});
const params: DecoderParams = {
  embedding: module("wte"),
  positions: module("wpe"),
  layers: Array.from({ length: L }, (_, i) => {
    const block = (name: string) => module(`blocks.${i}.${name}`);
    const { weight, bias } = block("attn.qkv");
    const biases = split(bias!, 3);
    const [query, key, value] = split(weight, 3).map((part, n) => ({
      weight: part,
      bias: biases[n]!,
    }));
    return {
      attentionNorm: block("ln_1"),
      attention: {
        query: query!,
        key: key!,
        value: value!,
        output: block("attn.proj"),
      },
      feedForwardNorm: block("ln_2"),
      feedForward: { up: block("mlp.0"), down: block("mlp.2") },
    };
  }),
  norm: module("ln_f"),
};

const text = Array.from({ length: 400 }, (_, i) => (i * i) % V);
const options = { batchSize: 4, contextLength: blockSize, seed: 1 };
const { ids } = nextTokenBatches(text, options)(0);
const apart = max(abs(sub(forward(state, ids), model.apply(params, ids))))
  .data[0]!;
check("forward and decoder give the same logits", apart < 1e-4);

// A loss of a batch; `number` is undefined in evaluation, where nothing is dropped
const weights = mapTensors(state, (x) => x.to(device));
const run = train({
  params: weights,
  loss: (p: typeof weights, batch: Batch, number?: number) =>
    crossEntropy(forward(p, batch.ids, number), batch.targets),
  optimizer: adamW({ learningRate: 0.01 }),
  batchAt: nextTokenBatches(text, { ...options, device }),
  steps: 60,
});
for await (const { step, loss } of run)
  if (step % 20 === 0) print(`step ${step}: loss ${loss.toFixed(3)}`);
