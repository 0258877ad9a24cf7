import { randomDecoder } from "@qkv/test-support/random-decoder";
import { tensorNames } from "@qkv/transformer/inspection";
import { expect, test } from "vitest";
import * as lens from "./index.js";
import * as names from "./transformer-lens.js";

const { fromTransformerLens, transformerLensFunctions, transformerLensHooks } = names;

const model = randomDecoder("gpt2", { vocabSize: 13 } as never);

test.each(transformerLensHooks)(
  "$theirs is a tensor here, or a note tells what is",
  ({ theirs, ours, note }) => {
    const name = theirs.replace("{i}", "1");
    if (ours === undefined) {
      expect(() => fromTransformerLens(name)).toThrow(/expected a tensor that is traced here/);
      expect(note).not.toBe("");
      return;
    }
    expect(tensorNames(model.config)).toContain(fromTransformerLens(name));
  },
);

test("tensors have the axes of TransformerLens, unless the note says otherwise", () => {
  const { tensors } = lens.runWithTrace(model, [3, 1, 4, 1, 5]);
  const [T, C, F, H, D] = [5, 24, 40, 4, 6];
  const theirs: Record<string, number[]> = {
    "blocks.0.hook_resid_pre": [1, T, C],
    "blocks.0.hook_resid_mid": [1, T, C],
    "blocks.0.hook_resid_post": [1, T, C],
    "blocks.0.hook_attn_out": [1, T, C],
    "blocks.0.hook_mlp_out": [1, T, C],
    "blocks.0.mlp.hook_post": [1, T, F],
    "blocks.0.attn.hook_pattern": [1, H, T, T],
  };
  for (const [name, shape] of Object.entries(theirs))
    expect(tensors[fromTransformerLens(name)]!.shape, name).toEqual(shape);
  for (const name of ["q", "k", "v", "z"])
    expect(tensors[fromTransformerLens(`blocks.0.attn.hook_${name}`)]!.shape).toEqual([1, H, T, D]);
  const plain = transformerLensHooks.filter(({ ours, note }) => ours !== undefined && note === "");
  expect(plain.map(({ theirs }) => theirs.replace("{i}", "0")).sort()).toEqual(Object.keys(theirs).sort());
});

test.each(transformerLensFunctions)("$theirs is $ours here", ({ ours, note }) => {
  if (ours === undefined || note.includes("of `@qkv/transformer`")) return expect(note).not.toBe("");
  const entries: Readonly<Record<string, unknown>> = { ...lens, ...names };
  expect(typeof entries[ours]).toBe("function");
});

test.each([
  ["hook_pos_embed", "read the part `position` of `decomposeResidual`."],
  ["blocks.3.ln1.hook_scale", "compute it from `layers.3.input`; `scoreParts` applies it."],
  ["blocks.3.ln2.hook_scale", "compute it from `layers.3.middle`."],
  ["blocks.3.attn.hook_result", "call `headContributions(heads, output)`, which returns [B, H, T, C]."],
  ["blocks.3.mlp.hook_pre", "read `layers.3.feedForwardHidden`, the neurons after the activation."],
  ["ln_final.hook_normalized", 'call `model.apply(params, ids, { output: "rows" })`.'],
  ["ln_final.hook_scale", "compute it from the `output` of the last layer; `logitParts` applies it."],
])("%s is refused with the alternative", (name, fix) => {
  expect(() => fromTransformerLens(name)).toThrow(`\nFix: ${fix}`);
});

test("unknown names are refused with the nearest name", () => {
  expect(() => fromTransformerLens("blocks.0.attn.hook_patern")).toThrow(
    /fromTransformerLens: .*\nFix: did you mean `blocks\.\{i\}\.attn\.hook_pattern`/,
  );
});
