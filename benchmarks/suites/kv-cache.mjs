// Time saved by prefix reuse, and the time of each kind of KV cache: a second message that shares 400 tokens with the
// first, and a token decoded after 400 others, with each kind. The model has random weights: 4 layers of 8 heads, two
// key-value heads.
import { ours } from "../peers/ours.mjs";

const sizes = {
  ...{ vocabSize: 512, embedDim: 256, hiddenDim: 688, numLayers: 4, numHeads: 8, numKvHeads: 2 },
  ...{ contextLength: 1024, normEps: 1e-5, stopIds: [] },
};
const { numLayers } = sizes;
const history = Array.from({ length: 410 }, (_, i) => (i * 37 + 11) % sizes.vocabSize);
const prompt = [
  ...history.slice(0, 405),
  ...Array.from({ length: 35 }, (_, i) => (i * 53 + 7) % sizes.vocabSize),
];

/** A model on a device, as a function from ids and a cache to the logits of the last token. */
async function modelOn(device) {
  const [{ decoder }, { mapTensors, slice }, caches] = await Promise.all([
    import("@qkv/transformer"),
    import("@qkv/tensor"),
    import("@qkv/kv-cache"),
  ]);
  const { init, apply } = decoder(sizes);
  const params = mapTensors(init(1), (x) => x.to(device));
  const last = (ids, cache) => slice(apply(params, ids, { cache }), 1, -1);
  return { last, caches };
}

export const rows = (context) => [
  {
    // The prompt of a second message, up to the logits of its first new token; the first has been answered.
    id: "kv-cache/second-turn-400-of-440",
    unit: "ms",
    better: "low",
    tolerance: 1e-3,
    contenders: [
      ...ours(
        context,
        async (device) => {
          const { last, caches } = await modelOn(device);
          const cache = caches.prefixCache({ numLayers, pages: 64, pageLength: 16 });
          cache.matchPrefix(history);
          device.scope(() => last(history, cache));
          cache.insertPrefix(history);
          return { compute: () => last(prompt.slice(cache.matchPrefix(prompt)), cache) };
        },
        { variant: "prefix shared", resident: ["state"] },
      ),
      ...ours(
        context,
        async (device) => {
          const { last, caches } = await modelOn(device);
          return { compute: () => last(prompt, caches.growingCache({ numLayers })) };
        },
        { variant: "computed again", resident: ["state"], rival: true },
      ),
    ],
  },
  {
    // One token after 400, then the cache is cropped: the additional time of each kind per step.
    id: "kv-cache/decode-after-400",
    unit: "ms",
    better: "low",
    tolerance: 1e-3,
    contenders: [
      ["growing", (caches) => caches.growingCache({ numLayers })],
      ["static", (caches) => caches.staticCache({ numLayers, maxLength: 512 })],
      ["rolling", (caches) => caches.rollingCache({ numLayers, windowSize: 512, room: 8 })],
      ["paged", (caches) => caches.pagedCache({ numLayers, pages: 40 })],
      ["quantized", (caches) => caches.quantizedCache({ numLayers })],
    ].flatMap(([variant, make]) =>
      ours(
        context,
        async (device) => {
          const { last, caches } = await modelOn(device);
          const cache = make(caches);
          device.scope(() => last(history.slice(0, 400), cache));
          return {
            compute() {
              const logits = last([5], cache);
              cache.crop(-1);
              return logits;
            },
          };
        },
        { variant, resident: ["state"] },
      ).map((contender) => (variant === "quantized" ? uncompared(contender) : contender)),
    ),
  },
];

/** int8 logits are close to the others, but not equal. */
function uncompared(contender) {
  return {
    ...contender,
    async prepare(context) {
      const { threads, call } = await contender.prepare(context);
      return { threads, call };
    },
  };
}
