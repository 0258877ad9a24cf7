import { randn, tensor, type Tensor } from "@qkv/tensor";
import type { Tokenizer } from "@qkv/tokenizer";
import { decoder, type DecoderConfig, type Model } from "@qkv/transformer";

const sizes = {
  embedDim: 24,
  hiddenDim: 40,
  numLayers: 2,
  numHeads: 4,
  contextLength: 32,
  normEps: 1e-5,
  stopIds: [],
};
const families = {
  gpt2: {
    ...sizes,
    numKvHeads: 4,
    norm: "layer",
    activation: "geluTanh",
    gated: false,
    positions: "learned",
    bias: { queryKeyValue: true, attentionOutput: true, feedForward: true },
  },
  llama: { ...sizes, numKvHeads: 2, ropeBase: 10000, ropeLayout: "half", activation: "silu" },
} as const satisfies Record<string, Omit<DecoderConfig, "vocabSize">>;

/** A small decoder of a family with random weights, biases and gains, and the vocabulary of a tokenizer. */
export function randomDecoder(family: keyof typeof families, tokenizer: Tokenizer): Model {
  const config: DecoderConfig = { ...families[family], vocabSize: tokenizer.vocabSize };
  const model = decoder(config);
  const params = model.init(7);
  let seed = 0;
  const randomLike = (x: Tensor, mean: number) => {
    const normal = randn(x.shape, { seed: ++seed });
    return tensor(
      Array.from(normal.data, (value) => mean + 0.2 * Number(value)),
      { shape: [...x.shape] },
    );
  };
  const randomizeBiasesAndGains = (node: Record<string, unknown>) => {
    for (const [name, value] of Object.entries(node)) {
      if (typeof value !== "object" || value === null) continue;
      if (name === "bias") node[name] = randomLike(value as Tensor, 0);
      else if (/norm$/i.test(name)) {
        const gains = value as { weight: Tensor; bias?: Tensor };
        gains.weight = randomLike(gains.weight, 1);
        if (gains.bias) gains.bias = randomLike(gains.bias, 0);
      } else if (name !== "weight") randomizeBiasesAndGains(value as Record<string, unknown>);
    }
  };
  randomizeBiasesAndGains(params as unknown as Record<string, unknown>);
  return { config, params, tokenizer, apply: model.apply };
}
