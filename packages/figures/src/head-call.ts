import { rope } from "@qkv/attention";
import { checks } from "@qkv/core";
import { linear, reshape, slice, type Tensor } from "@qkv/tensor";
import { norm, type Model } from "@qkv/transformer";
import type { AttentionCallModel } from "@qkv/viz/figures/attention-call";
import { attend, checkOptions, readMatrix, type AttentionCallOptions } from "./attend.js";
import { tokenText } from "./token-text.js";

/** Tolerance of rounding against the weights of the model's forward pass. */
const tolerance = 1e-4;

/** One head of a model on a text, recomputed from its input and compared with the forward pass of the model. */
export async function headCall(
  model: Model,
  text: string,
  options: AttentionCallOptions & { maxTokens?: number },
): Promise<AttentionCallModel> {
  const check = checks("attentionCallModel");
  checkOptions(check, options);
  const isDecoder = (value: unknown) => typeof (value as Partial<Model> | null)?.apply === "function";
  check.each({ model }, isDecoder, "a decoder", "load one: await load(await modelTiny()).");
  check.type({ text }, "string");
  const { head: headIndex = 0, maxTokens = 24 } = options;
  const { config, tokenizer } = model;
  const {
    numLayers,
    numHeads: H,
    numKvHeads,
    embedDim: C,
    normEps,
    ropeBase = 10000,
    ropeLayout = "half",
  } = config;
  check.whole(
    { head: headIndex },
    { min: 0, max: numLayers * H - 1, fix: `count heads over all ${numLayers} layers, from 0.` },
  );
  check.whole({ maxTokens }, { min: 1 });
  const [layer, head] = [Math.floor(headIndex / H), headIndex % H];
  const D = config.headDim ?? C / H;
  const kvHead = Math.floor(head / (H / numKvHeads));

  const encoded = tokenizer!.encode(text, { addSpecialTokens: false }).slice(-maxTokens);
  const ids = encoded.length > 0 ? encoded : [0];
  const T = ids.length;
  const tensors: Record<string, Tensor> = {};
  model.apply(model.params, ids, { trace: { names: ["embeddings", "output", "weights"], tensors } });
  const layerInput = layer === 0 ? tensors["embeddings"]! : tensors[`layers.${layer - 1}.output`]!;
  const { attentionNorm, attention } = model.params.layers[layer]!;
  const x = norm({ kind: config.norm ?? "rms", embedDim: C, eps: normEps }).apply(attentionNorm, layerInput);
  const positions = rope({ headDim: D, base: ropeBase, layout: ropeLayout });
  const projected = (weight: Tensor, h: number) =>
    reshape(linear(x, slice(weight, 0, h * D, (h + 1) * D)), [1, 1, T, D]);
  const rotated = (weight: Tensor, h: number) => positions.apply(projected(weight, h), { start: 0 });
  const parts = {
    query: rotated(attention.query.weight, head),
    key: rotated(attention.key.weight, kvHead),
    value: projected(attention.value.weight, kvHead),
  };

  const tracedWeights = await tensors[`layers.${layer}.attention.weights`]!.read();
  const { weights } = await attend(parts, {});
  const difference = Math.max(
    ...weights.data.map((weight, i) => Math.abs(weight - Number(tracedWeights[head * T * T + i]))),
  );
  if (!(difference <= tolerance)) {
    check.refuse({
      argument: "model",
      received: `a head whose weights differ by ${difference.toFixed(4)} from its own pass`,
      expected:
        "a decoder with one norm before attention, rotary positions on whole heads, and a causal mask",
      fix: "draw a head of another model: this one has a part, such as a norm of queries or a window, that is not drawn yet.",
    });
  }
  return {
    tokens: ids.map((id) => tokenText(model, id)),
    head: `layer ${layer}, head ${head}`,
    heads: Array.from({ length: numLayers * H }, (_, value) => ({
      value,
      label: `layer ${Math.floor(value / H)}, head ${value % H}`,
    })),
    x: await readMatrix(x),
    ...(await attend(parts, options)),
  };
}
