import { openDevice } from "../peers/ours.mjs";
import { weights } from "./shapes.mjs";

/** @returns A model that keeps its cache: `reset()` forgets, `step(ids)` gives the logits of the last token. */
export async function openOurs(shape, spec, { threads }) {
  const [{ decoder }, { staticCache }, { tensor }] = await Promise.all([
    import("@qkv/transformer"),
    import("@qkv/kv-cache"),
    import("@qkv/tensor"),
  ]);
  const device = await openDevice(spec, threads);
  const { gpt, C, F, V, L, H, context } = shape;
  const model = decoder({
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
  });
  const all = weights(shape);
  const place = (name) => tensor(all.data(name), { shape: all.shape(name) }).to(device);
  const part = (name) => ({
    weight: place(name),
    ...(all.has(`${name}.bias`) && { bias: place(`${name}.bias`) }),
  });
  const params = {
    embedding: { weight: place("embedding") },
    ...(gpt && { positions: { weight: place("positions") } }),
    layers: Array.from({ length: L }, (_, layer) => {
      const of = (name) => part(`${name}.${layer}`);
      return {
        attentionNorm: of("attentionNorm"),
        attention: { query: of("query"), key: of("key"), value: of("value"), output: of("output") },
        feedForwardNorm: of("feedForwardNorm"),
        feedForward: { ...(!gpt && { gate: of("gate") }), up: of("up"), down: of("down") },
      };
    }),
    norm: part("norm"),
  };
  const cache = staticCache({ maxLength: context, numLayers: L });
  return {
    threads: device.report().threads ?? 1,
    reset: () => cache.reset(),
    step: (ids) => model.apply(params, ids, { cache, last: 1 }).data,
  };
}
