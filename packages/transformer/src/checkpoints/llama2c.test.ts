import { FormatError } from "@qkv/core";
import type { Tensor } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readLlama2c } from "./llama2c.js";
import type { FeedForwardParams } from "../layers/feed-forward.js";
import { decoder } from "../models/decoder.js";
import { checkpointFields, tinyCheckpoint, tinySizes } from "@qkv/test-support/tiny-checkpoint";

const source = "tiny.bin";
const read = (bytes: Uint8Array) => readLlama2c(bytes, { source });

/** A checkpoint whose header states other sizes than its weights have. */
function withHeader(sizes: Partial<typeof tinySizes>): Uint8Array {
  const bytes = tinyCheckpoint();
  const view = new DataView(bytes.buffer);
  Object.values({ ...tinySizes, ...sizes }).forEach((size, i) => view.setInt32(4 * i, size, true));
  return bytes;
}

/** The error of reading an invalid checkpoint. */
function refusal(bytes: Uint8Array): FormatError {
  try {
    read(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(FormatError);
    return error as FormatError;
  }
  throw new Error("The checkpoint was accepted.");
}

test.each<[string, Partial<typeof tinySizes>]>([
  ["tied", {}],
  ["with an untied output projection", { vocab_size: -7 }],
])("golden: each weight of a %s checkpoint is read at its offset", (_, changes) => {
  const { config, params } = read(tinyCheckpoint(changes));
  expect(config).toEqual({
    vocabSize: 7,
    embedDim: 12,
    hiddenDim: 5,
    numLayers: 2,
    numHeads: 3,
    numKvHeads: 1,
    contextLength: 6,
    normEps: 1e-5,
    ropeBase: 10000,
    ropeLayout: "interleaved",
    stopIds: [1],
  });
  const [first, second] = params.layers as [(typeof params.layers)[0], (typeof params.layers)[0]];
  const weights = (layer: typeof first) => {
    const { attention, feedForward, attentionNorm, feedForwardNorm } = layer;
    const { query, key, value, output } = attention;
    const { gate, down, up } = feedForward as Required<FeedForwardParams>;
    return { attentionNorm, query, key, value, output, feedForwardNorm, gate, down, up };
  };
  const start = ({ weight }: { weight: Tensor }) => [weight.data[0], weight.shape];
  // The value of each weight is its index in the file: 84 values of the embedding, then each kind of tensor for both layers.
  expect(start(params.embedding)).toEqual([0, [7, 12]]);
  expect(Object.values(weights(first)).map(start)).toEqual([
    [84, [12]],
    [108, [12, 12]],
    [396, [4, 12]],
    [492, [4, 12]],
    [588, [12, 12]],
    [876, [12]],
    [900, [5, 12]],
    [1020, [12, 5]],
    [1140, [5, 12]],
  ]);
  expect(Object.values(weights(second)).map(({ weight }) => weight.data[0])).toEqual([
    96, 252, 444, 540, 732, 888, 960, 1080, 1200,
  ]);
  expect(start(params.norm)).toEqual([1260, [12]]);
  // The output projection follows 6 · 4 RoPE angles.
  expect(params.output && start(params.output)).toEqual(changes.vocab_size ? [1296, [7, 12]] : undefined);
  expect([...params.norm.weight.data]).toEqual(Array.from({ length: 12 }, (_, i) => 1260 + i));
  expect(decoder(config).apply(params, [1, 2]).shape).toEqual([1, 2, 7]);
});

test("bytes at an unaligned offset of a buffer are read", () => {
  const bytes = tinyCheckpoint();
  const moved = new Uint8Array(bytes.length + 3).subarray(1, 1 + bytes.length);
  moved.set(bytes);
  expect(read(moved).params.norm.weight.data).toEqual(read(bytes).params.norm.weight.data);
});

test("a truncated file is refused, and the error names the first incomplete field", () => {
  const bytes = tinyCheckpoint({ vocab_size: -7 });
  const fields = [
    ...Object.keys(tinySizes).map((field): [string, number] => [field, 4]),
    ...checkpointFields({ ...tinySizes, vocab_size: -7 }).map(([field, count]): [string, number] => [
      field,
      4 * count,
    ]),
  ];
  let end = 0;
  for (const [field, size] of fields) {
    for (const length of new Set([end, end + 1, end + size - 1])) {
      expect(refusal(bytes.subarray(0, length))).toMatchObject({ source, argument: field });
    }
    end += size;
  }
  expect(end).toBe(bytes.length);
});

test("bytes after the weights are refused", () => {
  const longer = new Uint8Array([...tinyCheckpoint(), 0]);
  expect(() => read(longer)).toThrow(
    /^readLlama2c: `tiny.bin: end of file` is "1 bytes after the weights", expected none.\nFix: the file is damaged or not a llama2.c checkpoint/,
  );
});

test("invalid sizes in the header are refused, and the error names the field", () => {
  for (const field of Object.keys(tinySizes)) {
    for (const wrong of field === "vocab_size" ? [0] : [0, -1, -(2 ** 31)]) {
      const { argument, received, expected } = refusal(withHeader({ [field]: wrong }));
      expect([argument, received, expected]).toEqual([field, wrong, "1 or more"]);
    }
  }
  expect(() => read(withHeader({ n_heads: 5 }))).toThrow(
    /`tiny.bin: n_heads` is 5, expected heads of an even size in dim = 12/,
  );
  expect(() => read(withHeader({ n_heads: 4 }))).toThrow(/`tiny.bin: n_heads` is 4/); // of size 3
  expect(() => read(withHeader({ n_kv_heads: 2 }))).toThrow(
    /`tiny.bin: n_kv_heads` is 2, expected a divisor of n_heads = 3/,
  );
});

test("sizes larger than the file are refused before memory is allocated", () => {
  const maxInt32 = 2 ** 31 - 1;
  const field = (sizes: Partial<typeof tinySizes>) => refusal(withHeader(sizes)).argument;
  expect(field({ vocab_size: maxInt32 })).toBe("tok_emb");
  expect(field({ vocab_size: -(2 ** 31) })).toBe("tok_emb");
  expect(field({ dim: 2 ** 30, n_heads: 2, vocab_size: maxInt32, n_kv_heads: 2 })).toBe("tok_emb");
  expect(field({ hidden_dim: maxInt32 })).toBe("w1[0]");
  expect(field({ n_layers: maxInt32 })).toMatch(/^att_norm\[\d+\]$/);
  expect(field({ seq_len: maxInt32 })).toBe("freq_cis");
});

test("property: arbitrary bytes are read as a checkpoint or refused with a FormatError", () => {
  const small = fc.integer({ min: -2, max: 4 });
  const header = fc.tuple(fc.nat(8), small, small, small, small, small, small);
  fc.assert(
    fc.property(header, fc.uint8Array({ maxLength: 600 }), fc.nat(28), (header, rest, cut) => {
      const bytes = new Uint8Array([...new Uint8Array(Int32Array.from(header).buffer), ...rest]);
      for (const file of [bytes, rest, bytes.subarray(0, cut)]) {
        try {
          const { config, params } = read(file);
          expect(params.layers.length).toBe(config.numLayers);
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }
    }),
  );
});
