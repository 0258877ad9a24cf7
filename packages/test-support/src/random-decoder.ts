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

/** A decoder of a family with random weights, biases and gains, that reads with a tokenizer. */
export function randomDecoder(family: keyof typeof families, tokenizer: Tokenizer): Model {
  const config: DecoderConfig = { ...families[family], vocabSize: tokenizer.vocabSize };
  const model = decoder(config);
  const params = model.init(7);
  let seed = 0;
  const near = (x: Tensor, middle: number) => {
    const drawn = randn(x.shape, { seed: ++seed });
    return tensor(
      Array.from(drawn.data, (value) => middle + 0.2 * Number(value)),
      { shape: [...x.shape] },
    );
  };
  const draw = (node: Record<string, unknown>) => {
    for (const [name, value] of Object.entries(node)) {
      if (typeof value !== "object" || value === null) continue;
      if (name === "bias") node[name] = near(value as Tensor, 0);
      else if (/norm$/i.test(name)) {
        const gains = value as { weight: Tensor; bias?: Tensor };
        gains.weight = near(gains.weight, 1);
        if (gains.bias) gains.bias = near(gains.bias, 0);
      } else if (name !== "weight") draw(value as Record<string, unknown>);
    }
  };
  draw(params as unknown as Record<string, unknown>);
  return { config, params, tokenizer, apply: model.apply };
}
