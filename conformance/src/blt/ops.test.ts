import { tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import { bltOps } from "./ops.js";

const run = async (name: string, input: object, attributes: object) => {
  const { patch_lengths: lengths } = (await bltOps
    .find((op) => op.name === name)!
    .run(input as never, attributes as never)) as unknown as Record<string, { toNested(): unknown }>;
  return lengths!.toNested();
};

test("rows of a batch with fewer patches than others are padded with 0", async () => {
  const entropies = tensor([
    [0, 0, 2, 0, 2],
    [0, 2, 2, 0, 0],
    [0, 0, 0, 0, 0],
  ]);
  expect(await run("patch_lengths_from_entropies", { entropies }, { threshold: 1 })).toEqual([
    [1, 2, 2, 0],
    [1, 1, 1, 2],
    [1, 4, 0, 0],
  ]);
  const patch_lengths = tensor(
    [
      [2, 8, 0],
      [5, 0, 0],
    ],
    { dtype: "int32" },
  );
  expect(await run("process_patch_lengths", { patch_lengths }, { max_patch_length: 3 })).toEqual([
    [2, 3, 3, 2],
    [3, 2, 0, 0],
  ]);
});
