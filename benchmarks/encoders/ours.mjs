import { openDevice } from "../peers/ours.mjs";
import { patches, tokenizerJson, weights } from "./shapes.mjs";

/** A function from the ids of a batch to their vectors, concatenated. */
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

/** `embed`: from texts to vectors, including the tokenizer. */
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

/** From the pixels of an image to logits of its classes. */
export async function openPicture(shape, spec, { threads }) {
  const [{ taskLogits, visionTransformer }, { reshape, tensor }] = await Promise.all([
    import("@qkv/transformer"),
    import("@qkv/tensor"),
  ]);
  const device = await openDevice(spec, threads);
  const { C, F, L, H, image, patch, classes, eps } = shape;
  const { place, part, layers } = placed(shape, tensor, device);
  const labels = Array.from({ length: classes }, (_, i) => `class ${i}`);
  const vit = visionTransformer({
    ...{ imageSize: image, patchSize: patch, embedDim: C, hiddenDim: F, numLayers: L, numHeads: H },
    ...{ normEps: eps, head: { task: "image", labels } },
  });
  const { weight, bias } = part("patches");
  const params = {
    patches: { weight: reshape(weight, [C, 3, patch, patch]), bias },
    classToken: { weight: reshape(place("class"), [C]) },
    positions: { weight: reshape(place("positions"), [patches(shape) + 1, C]) },
    layers,
    finalNorm: part("finalNorm"),
    head: { output: part("head") },
  };
  return {
    threads: device.report().threads ?? 1,
    logits(pixels) {
      const picture = tensor(pixels, { shape: [1, 3, image, image], device });
      return device.scope(() => taskLogits({ ...vit, params }, vit.apply(params, picture))).data;
    },
  };
}

/** Weights on the device of the computation. */
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
