import { ArgumentError } from "@qkv/core";
import {
  resident,
  slice,
  take,
  tensor,
  write,
  zeros,
  type KeyValues,
  type Shape,
  type Tensor,
} from "@qkv/tensor";
import type { KvCache } from "./cache.js";
import { readSaved, writeSaved } from "./saved.js";

/** One layer: buffers `[B, Hkv, capacity, D]` and `[B, Hkv, capacity, Dv]`, of which the first `length` hold tokens. */
type Layer = { key: Tensor; value: Tensor; length: number };

/**
 * A cache that holds every token and grows as needed: its buffers double, so appending costs a copy of the new
 * tokens, and now and then of all.
 *
 * Keys are stored as they come, after their rotary turn. What `update` returns are views of the buffers: attention
 * reads them in place, and they stay valid while tokens are appended.
 *
 * @param options - `numLayers`: how many layers write to it. Default 1.
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { growingCache } from "@qkv/kv-cache";
 *
 * const cache = growingCache();
 * const x = randn([1, 2, 3, 8], { seed: 1 }); // [B, Hkv, T, D]
 * cache.update(0, x, x);
 * cache.update(0, x, x).key[0]?.shape; // => [1, 2, 6, 8]
 * cache.length; // => 6
 * cache.crop(4);
 * cache.length; // => 4
 * ```
 */
export function growingCache({ numLayers = 1 }: { numLayers?: number } = {}): KvCache {
  if (!Number.isInteger(numLayers) || numLayers < 1) {
    throw new ArgumentError({
      fn: "growingCache",
      argument: "numLayers",
      received: numLayers,
      expected: "a whole number of layers, 1 or more",
      fix: "give the number of layers of the model.",
    });
  }
  return growing(new Array<Layer | undefined>(numLayers).fill(undefined), false);
}

/** `shared`: whether the buffers belong to a fork too, so that writing needs copies of its own. */
function growing(layers: (Layer | undefined)[], shared: boolean): KvCache {
  const filled = () => layers.filter((layer) => layer !== undefined);
  const length = () => Math.min(...layers.map((layer) => layer?.length ?? 0));
  const replace = (change: (buffer: Tensor) => Tensor): void => {
    for (const [i, layer] of layers.entries()) {
      if (layer)
        layers[i] = {
          key: resident(change(layer.key)),
          value: resident(change(layer.value)),
          length: layer.length,
        };
    }
    shared = false;
  };

  const cache: KvCache = {
    update(layer, key, value): KeyValues {
      const old = layers[checkLayer(layer, layers.length)];
      checkFits(old, key, value);
      if (shared) replace(copy);
      const before = layers[layer] ?? { key: empty(key), value: empty(value), length: 0 };
      const length = before.length + key.shape[2]!;
      const own = { key: withRoom(before.key, length), value: withRoom(before.value, length), length };
      write(own.key, 2, before.length, key);
      write(own.value, 2, before.length, value);
      layers[layer] = own;
      return {
        key: [slice(own.key, 2, 0, length)],
        value: [slice(own.value, 2, 0, length)],
        positions: { start: 0 },
      };
    },
    get length() {
      return length();
    },
    get lengths() {
      return new Int32Array(filled()[0]?.key.shape[0] ?? 0).fill(length());
    },
    get stored() {
      return length();
    },
    get bytes() {
      return filled().reduce((sum, { key, value }) => sum + bytesOf(key) + bytesOf(value), 0);
    },
    crop(n) {
      const kept = n < 0 ? length() + n : n;
      if (!Number.isInteger(kept) || kept < 0 || kept > length()) {
        throw new ArgumentError({
          fn: "crop",
          argument: "length",
          received: n,
          expected: `a whole number of tokens from ${-length()} to ${length()}`,
          fix: "keep at most what the cache has seen; negative numbers drop from the end.",
        });
      }
      for (const [i, layer] of layers.entries()) if (layer) layers[i] = { ...layer, length: kept };
      // Views handed out before must not see what is written over the dropped tokens.
      shared = true;
    },
    fork() {
      shared = true;
      return growing([...layers], true);
    },
    reorder(ids) {
      const batches = filled()[0]?.key.shape[0] ?? 0;
      const wrong = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= batches);
      if (wrong !== undefined) {
        throw new ArgumentError({
          fn: "reorder",
          argument: "ids",
          received: wrong,
          expected: `batches from 0 to ${batches - 1}`,
          fix: "name batches that the cache holds.",
        });
      }
      const indices = tensor([...ids], { dtype: "int32" });
      replace((buffer) => take(buffer, 0, indices.to(buffer.device)));
    },
    repeat(times) {
      if (!Number.isInteger(times) || times < 1) {
        throw new ArgumentError({
          fn: "repeat",
          argument: "times",
          received: times,
          expected: "a whole number, 1 or more",
          fix: "give how many copies of each batch there shall be.",
        });
      }
      const batches = filled()[0]?.key.shape[0] ?? 0;
      cache.reorder(Array.from({ length: batches * times }, (_, i) => Math.floor(i / times)));
    },
    reset() {
      layers.fill(undefined);
      shared = false;
    },
    save: () =>
      writeSaved(
        "growing",
        layers.map(
          (layer) =>
            layer && {
              key: slice(layer.key, 2, 0, layer.length),
              value: slice(layer.value, 2, 0, layer.length),
            },
        ),
      ),
    restore(bytes) {
      const saved = readSaved("growing", bytes, layers.length, filled()[0]?.key.device);
      for (let i = 0; i < layers.length; i++) {
        const layer = saved[i];
        layers[i] = layer && { ...layer, length: layer.key.shape[2]! };
      }
      shared = false;
    },
  };
  return cache;
}

function checkLayer(layer: number, count: number): number {
  if (Number.isInteger(layer) && layer >= 0 && layer < count) return layer;
  throw new ArgumentError({
    fn: "update",
    argument: "layer",
    received: layer,
    expected: `a layer from 0 to ${count - 1}`,
    fix: "make the cache with `numLayers` of the model.",
  });
}

function checkFits(layer: Layer | undefined, key: Tensor, value: Tensor): void {
  const fits = (x: Tensor, buffer: Tensor | undefined) =>
    x.shape.length === 4 &&
    (!buffer ||
      (x.dtype === buffer.dtype &&
        x.shape.every((length, axis) => axis === 2 || length === buffer.shape[axis])));
  const wanted = (buffer: Tensor | undefined) => {
    const [B, Hkv, , D] = buffer?.shape ?? ["B", "Hkv", "T", "D"];
    return `${buffer ? `${buffer.dtype} ` : ""}[${B}, ${Hkv}, T, ${D}]${buffer ? ", as the tokens before" : ""}`;
  };
  for (const [argument, x, buffer] of [
    ["key", key, layer?.key],
    ["value", value, layer?.value],
  ] as const) {
    if (fits(x, buffer)) continue;
    throw new ArgumentError({
      fn: "update",
      argument,
      received: x.shape,
      expected: wanted(buffer),
      fix: "append tokens of one sequence; `reset` the cache before another batch or model.",
    });
  }
  if (value.shape[2] !== key.shape[2] || value.shape[0] !== key.shape[0]) {
    throw new ArgumentError({
      fn: "update",
      argument: "value",
      received: value.shape,
      expected: `as many tokens as key has, [${key.shape.join(", ")}]`,
      fix: "give one value for each key.",
    });
  }
}

function empty(like: Tensor): Tensor {
  return resident(zeros(withLength(like.shape, 0), { dtype: like.dtype, device: like.device }));
}

/** The buffer, or one at least twice as large with the same content. */
function withRoom(buffer: Tensor, length: number): Tensor {
  const capacity = buffer.shape[2]!;
  if (length <= capacity) return buffer;
  return copy(buffer, Math.max(length, 2 * capacity));
}

function copy(buffer: Tensor, capacity = buffer.shape[2]!): Tensor {
  const room = resident(
    zeros(withLength(buffer.shape, capacity), { dtype: buffer.dtype, device: buffer.device }),
  );
  write(room, 2, 0, buffer);
  return room;
}

function withLength(shape: Shape, length: number): number[] {
  return shape.map((own, axis) => (axis === 2 ? length : own));
}

function bytesOf(buffer: Tensor): number {
  return buffer.storage.length * (buffer.dtype === "float64" ? 8 : 4);
}
