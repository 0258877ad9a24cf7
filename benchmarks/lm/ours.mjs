import { openDevice } from "../peers/ours.mjs";
import { weights } from "./shapes.mjs";

/**
 * @param rounding - Options of `quantize`: `{ kind, activations }`. Default: weights stay floats.
 * @returns A model with its cache: `reset()` clears it, `step(ids)` returns the logits of the last token.
 */
export async function openOurs(shape, spec, { threads }, rounding) {
  const [{ decoder, quantize }, { staticCache }, { tensor }] = await Promise.all([
    import("@qkv/transformer"),
    import("@qkv/kv-cache"),
    import("@qkv/tensor"),
  ]);
  const device = await openDevice(spec, threads);
  const { config, apply } = decoder(configOf(shape));
  const put = (data, lengths) => tensor(data, { shape: lengths });
  const params = paramsOf(shape, rounding ? put : (...given) => put(...given).to(device));
  const floats = { config, params, apply, tokenizer: undefined };
  const model = rounding ? quantize(floats, { ...rounding, device }).model : floats;
  const cache = staticCache({ maxLength: shape.context, numLayers: shape.L });
  return {
    threads: device.report().threads ?? 1,
    reset: () => cache.reset(),
    step: (ids) => model.apply(model.params, ids, { cache, last: 1 }).data,
  };
}

export function configOf({ gpt, C, F, V, L, H, context }) {
  return {
    vocabSize: V,
    embedDim: C,
    hiddenDim: F,
    numLayers: L,
    numHeads: H,
    numKvHeads: H,
    contextLength: context,
    normEps: 1e-5,
    stopIds: [],
    ...(gpt && {
      norm: "layer",
      activation: "geluTanh",
      gated: false,
      positions: "learned",
      bias: { queryKeyValue: true, attentionOutput: true, feedForward: true },
    }),
  };
}

/** @param put - Creates a tensor from data and a shape. */
export function paramsOf(shape, put) {
  const all = weights(shape);
  const place = (name) => put(all.data(name), all.shape(name));
  const part = (name) => ({
    weight: place(name),
    ...(all.has(`${name}.bias`) && { bias: place(`${name}.bias`) }),
  });
  return {
    embedding: part("embedding"),
    ...(all.has("positions") && { positions: part("positions") }),
    layers: Array.from({ length: shape.L }, (_, layer) => {
      const of = (name) => part(`${name}.${layer}`);
      return {
        attentionNorm: of("attentionNorm"),
        attention: { query: of("query"), key: of("key"), value: of("value"), output: of("output") },
        feedForwardNorm: of("feedForwardNorm"),
        feedForward: { ...(all.has("gate.0") && { gate: of("gate") }), up: of("up"), down: of("down") },
      };
    }),
    norm: part("norm"),
    ...(all.has("head") && { output: part("head") }),
  };
}
