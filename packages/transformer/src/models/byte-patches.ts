import { maxPoolPatches, patches as patchMask, type LinearParams } from "@qkv/attention";
import { type Cache, positionsAfter } from "@qkv/attention-contract";
import { checks, type Checks } from "@qkv/core";
import {
  concat,
  linear,
  mul,
  randn,
  reshape,
  slice,
  splitSeed,
  tensor,
  zeros,
  type Tensor,
} from "@qkv/tensor";
import { patchCrossAttention } from "../layers/patch-cross-attention.js";
import { bytePatchCache, patchEnds, type BytePatchCache } from "./byte-patch-cache.js";
import { cacheLayersFrom } from "./cache-layers-from.js";
import type {
  BoundBytePatches,
  BytePatches,
  BytePatchesConfig,
  DecoderConfig,
  LayersConfig,
} from "./decoder-config.js";
import type { BytePatchesParams, Decoder } from "./decoder.js";
import { addHashEmbeddings, hashRows } from "./hash-embeddings.js";
import { endsFromLengths, uncertainEnds } from "./patch-boundaries.js";

/**
 * Bytes in place of tokens, as in the Byte Latent Transformer (BLT). A small entropy model ends a patch at each byte
 * whose next byte is uncertain. A local encoder processes bytes and pools them per patch, a large global
 * transformer processes patches, and the layers of the decoder process the bytes again, with the last complete patch as context.
 *
 * A patch depends only on bytes up to its end, so the patches of a text stay the same when it is continued, and a cache from
 * {@link cacheFor} holds them. Boundaries are computed on the host during the call. On a GPU whose memory can only be read
 * asynchronously, pass `patchLengths` from {@link bytePatchLengths}.
 *
 * @returns A value for `bytePatches` of a decoder's configuration.
 * @throws {ArgumentError} If a size is not an integer; and from `decoder`, if a part is not a decoder configuration, or widths
 *   and vocabularies do not match.
 * @see "Byte Latent Transformer: Patches Scale Better Than Tokens" (2024), arXiv:2412.09871
 *
 * @example
 * ```ts
 * import { bytePatches, decoder } from "@qkv/transformer";
 *
 * const layers = { embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, numKvHeads: 2, normEps: 1e-5 };
 * const bytes = { vocabSize: 260, contextLength: 64, stopIds: [] };
 * const blt = decoder({
 *   ...layers,
 *   ...bytes,
 *   bytePatches: bytePatches({
 *     patcher: { ...layers, ...bytes },
 *     threshold: 5.5,
 *     hashes: { orders: [3, 4], functions: 1, buckets: 100 },
 *     encoder: layers,
 *     global: { ...layers, embedDim: 16, hiddenDim: 32, numLayers: 2 },
 *     rowsPerPatch: 2,
 *   }),
 * });
 * blt.apply(blt.init(1), [1, 76, 105, 107, 101]).shape; // => [1, 5, 260]
 * ```
 */
export function bytePatches(config: BytePatchesConfig): BytePatches {
  const { patcher, threshold, hashes, encoder, global, rowsPerPatch } = check.options(
    config,
    ["patcher", "threshold", "hashes", "encoder", "global", "rowsPerPatch"],
    "config",
  );
  check.finite({ threshold }, { fix: "take that of the model, about 1.34." });
  check.whole({ rowsPerPatch }, { min: 1, unit: "rows" });
  const { orders, ...counts } = check.options(hashes, ["orders", "functions", "buckets"], "hashes");
  check.whole(counts, { min: 1 });
  const isOrder = (order: unknown) => Number.isSafeInteger(order) && (order as number) >= 1;
  check.list({ "hashes.orders": orders }, "numbers of bytes, 1 or more", isOrder);
  return {
    name: "bytePatches",
    config,
    cache(decoderConfig) {
      const { byteLayers, patchLayers } = cacheLayers(decoderConfig, config);
      return bytePatchCache(byteLayers, patchLayers);
    },
    bind(decoderConfig, { decoder, linear: map }) {
      checkFit(decoderConfig, config);
      const createDecoder = (config: DecoderConfig) => decoder(config, map && { linear: map }) as Decoder;
      // Only `rows` of these two decoders is called, so vocabulary and context are not used.
      const layerStack = (config: LayersConfig) =>
        createDecoder({ ...config, vocabSize: 1, contextLength: 1, stopIds: [] });
      return bindBytePatches(decoderConfig, config, {
        patcher: createDecoder(patcher),
        encoder: layerStack(encoder),
        global: layerStack(global),
        map,
      });
    },
  };
}

/** Layer indices in the cache: first the layers of the decoder, then of the entropy model and of the encoder, then the encoder output. */
function cacheLayers({ numLayers }: DecoderConfig, { patcher, encoder, global }: BytePatchesConfig) {
  const firstEncoderLayer = numLayers + patcher.numLayers;
  const rowsLayer = firstEncoderLayer + encoder.numLayers;
  const outputLayer = global.numLayers; // in the cache of patches
  return {
    firstPatcherLayer: numLayers,
    firstEncoderLayer,
    rowsLayer,
    byteLayers: rowsLayer + 1,
    outputLayer,
    patchLayers: outputLayer + 1,
  };
}

type Components = Record<"patcher" | "encoder" | "global", Decoder> & {
  readonly map: typeof linear | undefined;
};

function bindBytePatches(
  decoderConfig: DecoderConfig,
  config: BytePatchesConfig,
  { patcher, encoder, global, map = linear }: Components,
): BoundBytePatches {
  const { hashes, threshold, rowsPerPatch: k } = config;
  const { firstPatcherLayer, firstEncoderLayer, rowsLayer, outputLayer } = cacheLayers(decoderConfig, config);
  const { embedDim: C, numLayers } = decoderConfig;
  const G = global.config.embedDim;
  const crossAttention = (config: DecoderConfig) => patchCrossAttention({ ...config, linear: map });
  const [encoderCrossAttention, decoderCrossAttention] = [
    crossAttention(encoder.config),
    crossAttention(decoderConfig),
  ];
  const maxIdsBefore = Math.max(0, ...hashes.orders) - 1;

  /** The content of the cache, per batch, as numbers on the host. */
  const readCached = (cache: BytePatchCache | undefined, B: number) => {
    const perBatch = <T>(value: (b: number) => T) => Array.from({ length: B }, (_, b) => value(b));
    const lengths = perBatch((b) => cache?.lengths[b] ?? 0);
    const ends = cache ? patchEnds(cache.patches) : [];
    const cachedIds = cache && cache.length > 0 ? (cache.read(rowsLayer).value[0] as Tensor) : undefined;
    const idsBefore = (b: number): number[] => {
      const from = Math.max(0, lengths[b]! - maxIdsBefore);
      if (!cachedIds || from === lengths[b]) return [];
      return Array.from(slice(slice(cachedIds, 0, b, b + 1), 2, from, lengths[b]).data as Float32Array);
    };
    return {
      lengths,
      /** Number of complete patches. */
      patches: perBatch((b) => ends[b]?.length ?? 0),
      /** Index of the first byte of the open patch. */
      open: perBatch((b) => ends[b]?.at(-1) ?? 0),
      idsBefore,
    };
  };

  /** Output of the global layers for the last complete patch of each batch, `[B, 1, G]`; unused zeros if there is none. */
  const lastPatches = (
    cache: BytePatchCache | undefined,
    counts: readonly number[],
    rows: Tensor,
  ): Tensor => {
    const B = counts.length;
    if (!cache || counts.every((count) => count === 0)) {
      return zeros([B, 1, G], { dtype: rows.dtype, device: rows.device });
    }
    const outputs = cache.patches.read(outputLayer).key[0] as Tensor; // [B, 1, P, G]
    const lastRows = counts.map((count, b) => {
      const index = Math.max(0, count - 1);
      return slice(slice(outputs, 0, b, b + 1), 2, index, index + 1);
    });
    return reshape(concat(lastRows, 0), [B, 1, G]);
  };

  return {
    init(seed): BytePatchesParams {
      const seeds = splitSeed(seed, ["patcher", "hashes", "encoder", "global", "decoder"]);
      const randomLinear = (seed: number, out: number, inner: number): LinearParams => ({
        weight: mul(randn([out, inner], { seed }), 1 / Math.sqrt(inner)),
      });
      const componentSeeds = (seed: number) => splitSeed(seed, ["layers", "projection", "crossAttention"]);
      const [encoderSeeds, globalSeeds, decoderSeeds] = [
        componentSeeds(seeds.encoder),
        componentSeeds(seeds.global),
        componentSeeds(seeds.decoder),
      ];
      return {
        patcher: patcher.init(seeds.patcher),
        hashes: { weight: mul(randn([hashRows(hashes), C], { seed: seeds.hashes }), 0.02) },
        encoder: {
          layers: encoder.init(encoderSeeds.layers).layers,
          projection: randomLinear(encoderSeeds.projection, k * C, C),
          crossAttention: encoderCrossAttention.init(encoderSeeds.crossAttention),
        },
        global: {
          layers: global.init(globalSeeds.layers).layers,
          ...(G !== k * C && { projection: randomLinear(globalSeeds.projection, G, k * C) }),
        },
        decoder: {
          projection: randomLinear(decoderSeeds.projection, k * C, G),
          crossAttention: splitSeed(decoderSeeds.crossAttention, numLayers).map(decoderCrossAttention.init),
        },
      };
    },
    apply(params: BytePatchesParams, embedded, { tokens, positions, cache: given, patchLengths }) {
      const { device } = embedded;
      const cache = given && checkCache(given);
      const [B, T] = embedded.shape as [number, number];
      const idData = Array.from(tokens.data as Int32Array);
      const ids = Array.from({ length: B }, (_, b) => idData.slice(b * T, (b + 1) * T));
      const cached = readCached(cache, B);
      const cacheOption = (first: number): { cache: Cache } | undefined =>
        cache && { cache: cacheLayersFrom(cache, first) };

      // For each batch, the bytes of this call that end a patch.
      if (patchLengths !== undefined && cache) refusePatchLengths();
      const ends = patchLengths
        ? endsFromLengths(onApply, patchLengths, [B, T])
        : uncertainEnds(
            readOnHost(patcher.apply(params.patcher, tokens, cacheOption(firstPatcherLayer))),
            cached.lengths,
            threshold,
          );

      // Bytes: rows `[B, T, C]`.
      const idsWithCached = ids.map((batchIds, b) => [...cached.idsBefore(b), ...batchIds]);
      const rows = encoder.rows(
        params.encoder.layers,
        addHashEmbeddings(embedded, params.hashes.weight, idsWithCached, hashes),
        { ...cacheOption(firstEncoderLayer), positions },
      );
      const headRows = reshape(rows, [B, 1, T, C]);
      const idTensor = tensor(idData, { shape: [B, 1, T, 1], dtype: rows.dtype, device });
      const allRows = cache ? (cache.update(rowsLayer, headRows, idTensor).key[0] as Tensor) : headRows; // [B, 1, S, C]

      // Patches completed by these bytes, `[B, N, G]`. N is the maximum over batches.
      const lastBytes = ends.map((batchEnds, b) =>
        batchEnds.flatMap((isEnd, t) => (isEnd ? [cached.lengths[b]! + t + 1] : [])),
      );
      const N = Math.max(...lastBytes.map(({ length }) => length));
      const previousPatch = lastPatches(cache, cached.patches, rows);
      const completed = N === 0 ? [] : [completePatches(N, lastBytes)];
      const context = concat([previousPatch, ...completed], 1); // [B, 1 + N, G]
      if (cache && completed[0]) {
        // Positions from the first byte of the text.
        const paddedLastBytes = lastBytes.flatMap((batchLastBytes) =>
          Array.from({ length: N }, (_, n) => batchLastBytes[n] ?? 0),
        );
        const patchPositions = tensor(paddedLastBytes, { shape: [B, 1, N, 1], dtype: rows.dtype, device });
        cache.patches.update(outputLayer, reshape(completed[0], [B, 1, N, G]), patchPositions);
        if (lastBytes.some(({ length }) => length < N))
          cache.patches.crop(lastBytes.map(({ length }, b) => cached.patches[b]! + length));
      }

      // The context of each byte is the last complete patch, projected to k rows.
      const { projection, crossAttention } = params.decoder;
      const contextRows = reshape(map(context, projection.weight), [B, (1 + N) * k, C]);
      const patchIds = ends.map((batchEnds) => {
        let count = 0;
        return batchEnds.map((isEnd) => (count += Number(isEnd)));
      });
      const mask = patchMask(patchIds, { queries: "bytes", rowsPerPatch: k });
      return {
        rows,
        beforeLayer: (layer, x) => decoderCrossAttention.apply(crossAttention[layer]!, x, contextRows, mask),
      };

      function completePatches(N: number, lastBytes: readonly (readonly number[])[]): Tensor {
        const from = Math.min(...cached.open);
        const span = slice(allRows, 2, from); // bytes of open and new patches
        const bytes = span.shape[2]!;
        const patchIds = lastBytes.map((batchLastBytes, b) => {
          // Bytes outside new patches are assigned to patch N, which is dropped.
          const bytePatchIds = new Array<number>(bytes).fill(N);
          batchLastBytes.forEach((end, n) =>
            bytePatchIds.fill(n, (batchLastBytes[n - 1] ?? cached.open[b]!) - from, end - from),
          );
          return bytePatchIds;
        });
        const x = reshape(span, [B, bytes, C]);
        const pooled = slice(maxPoolPatches(x, patchIds, N + 1), 1, 0, N); // [B, N, C]
        const queries = reshape(map(pooled, params.encoder.projection.weight), [B, N * k, C]);
        const mask = patchMask(patchIds, { queries: "patches", rowsPerPatch: k });
        const patchRows = encoderCrossAttention.apply(params.encoder.crossAttention, queries, x, mask);
        const concatenatedRows = reshape(patchRows, [B, N, k * C]);
        const { layers, projection } = params.global;
        return global.rows(layers, projection ? map(concatenatedRows, projection.weight) : concatenatedRows, {
          ...(cache && { cache: cache.patches }),
          positions: positionsAfter(cache?.patches, N),
        });
      }
    },
  };
}

/** Refuses parts that do not fit each other or the decoder. */
function checkFit(decoderConfig: DecoderConfig, { patcher, encoder }: BytePatchesConfig): void {
  const requirements: readonly (readonly [
    argument: string,
    received: unknown,
    expected: unknown,
    of: string,
  ])[] = [
    ["patcher.vocabSize", patcher.vocabSize, decoderConfig.vocabSize, "vocabSize of the decoder"],
    ["encoder.embedDim", encoder.embedDim, decoderConfig.embedDim, "embedDim of the decoder"],
  ];
  for (const [argument, received, expected, of] of requirements) {
    if (received === expected) continue;
    check.refuse({
      argument,
      received,
      expected: `${String(expected)}, the ${of}`,
      fix: "both read the same bytes.",
    });
  }
}

function checkCache(cache: Cache): BytePatchCache {
  if ("patches" in cache) return cache as BytePatchCache;
  return onApply.refuse({
    argument: "cache",
    received: "a cache of tokens",
    expected: "one of bytes and patches",
    fix: "make it with `cacheFor(model.config)`.",
  });
}

/** Reads numbers on the host, because later shapes depend on them. */
function readOnHost(x: Tensor): Tensor {
  try {
    return tensor(x.data, { shape: x.shape });
  } catch (cause) {
    if (!x.device.remote) throw cause;
    return onApply.refuse({
      argument: "params",
      received: `weights on ${x.device.name}, whose numbers can only be awaited`,
      expected: "weights on a device that is read at once, as the bytes decide where patches end",
      fix: "give `patchLengths: await bytePatchLengths(model, ids)`; to generate, load the model on js or wasm: `device: await wasm()`.",
      cause,
    });
  }
}

function refusePatchLengths(): never {
  return onApply.refuse({
    argument: "patchLengths",
    received: "lengths beside a cache",
    expected: "no cache, whose entropy model would have to read the bytes as well",
    fix: "give the whole text in one call.",
  });
}

const check: Checks = /* @__PURE__ */ checks("bytePatches");
const onApply: Checks = /* @__PURE__ */ checks("decoder.apply");
