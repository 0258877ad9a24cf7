import { checks, isQkvError, writeGgufHeader, type GgufTensor } from "@qkv/core";
import { expect, test } from "vitest";
import { load } from "../load.js";
import { ggufWeights } from "./gguf-weights.js";
import { openFile } from "./open-file.js";

const llama = { "general.architecture": { type: "string", value: "llama" } } as const;
type TensorEntry = Pick<GgufTensor, "name" | "dims" | "type"> & { bytes: number };

/** A GGUF file of these tensors with `data` bytes of data. */
function file(tensors: readonly TensorEntry[], data = 0): Uint8Array {
  const header = writeGgufHeader(llama, tensors);
  const bytes = new Uint8Array(header.length + data);
  bytes.set(header);
  return bytes;
}
const read = async (bytes: Uint8Array) =>
  ggufWeights(await openFile(bytes, { check: checks("load", { argument: "source" }) }));

test("tensors with an axis of length 0 are refused, also with 2 ** 45 experts", async () => {
  for (const dims of [[0, 1, 2 ** 45], [2 ** 45, 0, 1], [1, 2 ** 45, 0], [0]]) {
    const bytes = file([{ name: "blk.0.ffn_gate_exps.weight", dims, type: 0, bytes: 0 }]);
    expect(bytes.length).toBeLessThan(200);
    const error: unknown = await load(bytes).catch((error: unknown) => error);
    expect(isQkvError(error), String(error)).toBe(true);
    expect((error as Error).message).toMatch(
      /blk.0.ffn_gate_exps.weight: shape` is \[.*\], expected lengths of 1 or more/,
    );
  }
});

test("a type that is not implemented is named, and another number is damaged or newer", async () => {
  const refusal = (type: number) => read(file([{ name: "a", dims: [256], type, bytes: 0 }]));
  await expect(refusal(10)).rejects.toThrow(
    /a: type` is "Q2_K", expected one of Q4_K, Q5_K, Q6_K, … \(the reference of `load` lists all 13\)\.\nFix: qkv does not implement Q2_K\. Take a file/,
  );
  await expect(refusal(77)).rejects.toThrow(
    /a: type` is 77, expected one of F32, F16, Q4_0, … .*\nFix: download the file again: it is damaged, or of a newer version of GGUF/,
  );
});

test("tensors with overlapping bytes, and more experts than the file can hold, are refused", async () => {
  // A small header can list the same data any number of times.
  const stack = (n: number) => ({
    name: `blk.${n}.ffn_up_exps.weight`,
    dims: [1, 1, 4096],
    type: 0,
    bytes: 0,
  });
  await expect(read(file([stack(0), stack(1)], 4 * 4096))).rejects.toThrow(
    /blk.1.ffn_up_exps.weight: offset` is 0, expected bytes that no other tensor has/,
  );
  const many = { name: "blk.0.ffn_up_exps.weight", dims: [1, 1, 100_000], type: 0, bytes: 400_000 };
  await expect(read(file([many], 400_000))).rejects.toThrow(
    /shape` is \[100000, 1, 1\], expected experts of 64 bytes or more each/,
  );
});

test("a tensor with all experts is split into a tensor per expert", async () => {
  const { weights } = await read(
    file([{ ...{ name: "blk.0.ffn_up_exps.weight", dims: [2, 3, 4] }, type: 0, bytes: 96 }], 96),
  );
  expect(weights.names).toEqual([0, 1, 2, 3].map((e) => `blk.0.ffn_up.${e}.weight`));
  expect(weights.shape("blk.0.ffn_up.3.weight")).toEqual([3, 2]);
});
