import type { GgufValue } from "@qkv/core";
import { expect, test } from "vitest";
import type { WeightFile } from "../../loading/weight-file.js";
import { readGguf } from "./read-gguf.js";

const file = { name: "model.gguf", fn: "load", names: [], shape: () => undefined } as unknown as WeightFile;

/** The error about a Llama file without tensors, with these fields. */
const refusal = (fields: Readonly<Record<string, GgufValue>>) => {
  const sizes = { embedding_length: 8, block_count: 1, feed_forward_length: 16, context_length: 4 };
  const all = { ...sizes, "attention.head_count": 2, ...fields };
  const metadata = new Map<string, GgufValue>([["general.architecture", "llama"]]);
  for (const [name, value] of Object.entries(all)) metadata.set(`llama.${name}`, value);
  return readGguf(metadata, file, () => file as never).then(String, String);
};

test("a value that is not implemented, a damaged value and an unknown field have errors of their own", async () => {
  expect(await refusal({ "attention.causal": false })).toMatch(
    /`model\.gguf: attention\.causal` is false, expected true, .*\.\nFix: qkv does not implement `attention\.causal: false` for llama in GGUF files\. Choose a model with a supported value\.$/,
  );
  expect(await refusal({ "attention.value_length": 6 })).toMatch(
    /attention\.value_length` is 6, expected 4, the length of the keys\.\nFix: qkv does not implement `attention\.value_length: 6`/,
  );
  expect(await refusal({ "attention.value_length": 2n ** 60n })).toMatch(
    /attention\.value_length` is 1152921504606846976n, expected 4, .*\nFix: qkv does not implement/,
  );
  expect(await refusal({ "attention.value_length": "four" })).toMatch(
    /attention\.value_length` is "four", expected 4, .*\nFix: download model\.gguf again: the field is damaged\.$/,
  );
  expect(await refusal({ "attention.value_length": 4n, new_field: 1 })).toMatch(
    /llama\.new_field` is 1, expected no such field\.\nFix: qkv does not know the field `new_field` of llama\./,
  );
});
