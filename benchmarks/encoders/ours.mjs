import { openDevice } from "../peers/ours.mjs";
import { patches, tokenizerJson, weights } from "./shapes.mjs";

/** Ids of a batch to a function that gives their vectors, one after the other. */
export async function openText(shape, spec, { threads }) {
  const { device, model, modules, sentenceEmbedding, tensor } = await loaded(shape, spec, threads);
  return {
    threads: device.report().threads ?? 1,
    vectors(ids) {
      const batch = tensor(ids, { dtype: "int32", device });
      return device.scope(() => sentenceEmbedding(modules, model.apply(model.params, batch))).data;
    },
  };
}

/** `embed`: texts to vectors, with the tokenizer. */
export async function openEmbed(shape, spec, { threads }) {
  const [{ device, model, embed }, { tokenizerFromJson }] = await Promise.all([
    loaded(shape, spec, threads),
    import("@qkv/tokenizer"),
  ]);
  const whole = { ...model, tokenizer: tokenizerFromJson(tokenizerJson(shape)) };
  return {
    threads: device.report().threads ?? 1,
    vectors: async (texts) => joined(await embed(whole, texts)),
  };
}

async function loaded(shape, spec, threads) {
  const [ours, { tensor }] = await Promise.all([import("@qkv/transformer"), import("@qkv/tensor")]);
  const { embed, encoder, normalizeModule, poolingModule, sentenceEmbedding } = ours;
  const device = await openDevice(spec, threads);
  const { C, F, L, H, V, tokens, eps } = shape;
  const { part, layers } = placed(shape, tensor, device);
  const { config, apply, maskedTokenLogits } = encoder({
    ...{ vocabSize: V, embedDim: C, hiddenDim: F, numLayers: L, numHeads: H },
    ...{ contextLength: tokens, numTypes: 2, normEps: eps },
  });
  const params = {
    embedding: part("embedding"),
    positions: part("positions"),
    types: part("types"),
    embeddingNorm: part("embeddingNorm"),
    layers,
  };
  const model = { config, params, apply, maskedTokenLogits, tokenizer: undefined };
  const modules = [poolingModule(["mean"]), normalizeModule()];
  return { device, model, modules, embed, sentenceEmbedding, tensor };
}

/** Pixels of a picture to logits of its classes. */
export async function openPicture(shape, spec, { threads }) {
  const [{ multiHead }, { feedForward, norm, transformerLayer }, ops] = await Promise.all([
    import("@qkv/attention"),
    import("@qkv/transformer"),
    import("@qkv/tensor"),
  ]);
  const { add, concat, linear, permute, reshape, slice, tensor } = ops;
  const device = await openDevice(spec, threads);
  const { C, F, H, image, patch, eps } = shape;
  const { place, part, layers } = placed(shape, tensor, device);
  const layerNorm = norm({ kind: "layer", embedDim: C, eps });
  const layer = transformerLayer({
    attention: multiHead({ embedDim: C, numHeads: H, bias: true }),
    feedForward: feedForward({ embedDim: C, hiddenDim: F, activation: "gelu", gated: false, bias: true }),
    norm: layerNorm,
  });
  const [cut, head, finalNorm] = ["patches", "head", "finalNorm"].map(part);
  const [first, positions] = ["class", "positions"].map(place);
  const side = image / patch;
  return {
    threads: device.report().threads ?? 1,
    logits(pixels) {
      const picture = tensor(pixels, { shape: [3, side, patch, side, patch], device });
      return device.scope(() => {
        const rows = reshape(permute(picture, [1, 3, 0, 2, 4]), [1, patches(shape), 3 * patch * patch]);
        let x = add(concat([first, linear(rows, cut.weight, cut.bias)], 1), positions);
        for (const params of layers) x = layer.apply(params, x);
        return linear(slice(layerNorm.apply(finalNorm, x), 1, 0, 1), head.weight, head.bias);
      }).data;
    },
  };
}

/** Weights where the device computes. */
function placed(shape, tensor, device) {
  const all = weights(shape);
  const place = (name) => tensor(all.data(name), { shape: all.shape(name) }).to(device);
  const part = (name) => ({
    weight: place(name),
    ...(all.has(`${name}.bias`) && { bias: place(`${name}.bias`) }),
  });
  const layers = Array.from({ length: shape.L }, (_, layer) => {
    const of = (name) => part(`${name}.${layer}`);
    return {
      attentionNorm: of("attentionNorm"),
      attention: { query: of("query"), key: of("key"), value: of("value"), output: of("output") },
      feedForwardNorm: of("feedForwardNorm"),
      feedForward: { up: of("up"), down: of("down") },
    };
  });
  return { place, part, layers };
}

function joined(vectors) {
  const all = new Float32Array(vectors.length * vectors[0].length);
  vectors.forEach((vector, i) => all.set(vector, i * vector.length));
  return all;
}
