import { calibrate, cost, formats, measure, readConfig, type Machine, type PassWork } from "@qkv/cost";
import { linear, mapTensors, ones, type Device, type Tensor } from "@qkv/tensor";
import { decoder } from "@qkv/transformer";
import { wasm } from "@qkv/wasm";

/** Measures this machine's `wasm` device with matrix-vector products and small models, in about 2 seconds. */
export async function measureMachine(): Promise<Machine> {
  const device = await wasm();
  // Matrices stay on the device, so larger samples reuse those of smaller ones.
  const pool: Tensor[] = [];
  const samples = measure(
    ({ rows, width, matrices }) => {
      while (pool.length < matrices) pool.push(ones([width, width]).to(device));
      const weights = pool.slice(0, matrices);
      const x = ones([rows, width]).to(device);
      return () =>
        device.scope(() => {
          for (const weight of weights) linear(x, weight);
        });
    },
    { budgetMs: 40, passes: [64, 192].map((width) => smallModel(width, device)) },
  );
  return calibrate(samples, { name: "this machine (wasm)", source: "measured just now" });
}

/** One token of a decoder so small that the overhead of its operations dominates. */
function smallModel(embedDim: number, device: Device): PassWork {
  const sizes = {
    embedDim,
    hiddenDim: 2 * embedDim,
    numLayers: 4,
    numHeads: 4,
    numKvHeads: 2,
    vocabSize: 256,
  };
  const rest = { contextLength: 16, normEps: 1e-5, ropeBase: 1e4, ropeLayout: "half", stopIds: [] } as const;
  const model = decoder({ ...sizes, ...rest });
  const params = mapTensors(model.init(1), (weight) => weight.to(device));
  const shape = readConfig({
    model_type: "llama",
    hidden_size: embedDim,
    intermediate_size: sizes.hiddenDim,
    num_hidden_layers: sizes.numLayers,
    num_attention_heads: sizes.numHeads,
    num_key_value_heads: sizes.numKvHeads,
    vocab_size: sizes.vocabSize,
    tie_word_embeddings: true,
  });
  const { float32 } = formats;
  return {
    cost: cost(shape, { formats: { weights: float32, activations: float32, cache: float32 } }),
    run: () => void model.apply(params, [1]).data,
  };
}
