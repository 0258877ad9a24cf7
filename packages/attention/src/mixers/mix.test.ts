import { ones, randn, tensor, zeros } from "@qkv/tensor";
import { expect, test } from "vitest";
import { chunkwise } from "./chunkwise.js";
import { gla } from "./gla.js";
import { linearAttention } from "./linear-attention.js";
import { mix } from "./mix.js";
import { recurrent } from "./recurrent.js";
import { simpleGla } from "./simple-gla.js";

const x = randn([2, 4, 5, 3], { seed: 1 }); // [B, H, T, D]
const qkv = { query: x, key: x, value: x };

test("with more query heads than states, neighbouring heads read the same state", () => {
  const few = randn([2, 2, 5, 3], { seed: 2 });
  const { output, state } = mix(linearAttention(), { query: x, key: few, value: few });
  expect([output.shape, state.shape]).toEqual([
    [2, 4, 5, 3],
    [2, 2, 3, 3],
  ]);
  const again = mix(
    linearAttention(),
    { query: x, key: few, value: few },
    { initialState: state, form: recurrent },
  );
  expect(again.state.shape).toEqual([2, 2, 3, 3]);
});

test("an input that the mixer does not have is refused", () => {
  const decay = zeros([2, 4, 5]);
  expect(() => mix(linearAttention(), { ...qkv, decay } as typeof qkv)).toThrow(
    /mix: `decay` is .*, expected one of the options query, key, value/,
  );
});

test("a missing input is refused", () => {
  expect(() => mix(simpleGla(), qkv as never)).toThrow(/mix: `decay` is undefined, expected a tensor/);
});

test("a decay of another shape is refused, and the error has the expected axes", () => {
  expect(() => mix(gla(), { ...qkv, decay: zeros([2, 4, 5]) })).toThrow(
    /mix: `decay` has shape \[2, 4, 5\], expected \[2, H, 5, 3\]/,
  );
});

test("numbers of heads that do not divide are refused", () => {
  const key = zeros([2, 3, 5, 3]);
  expect(() => mix(linearAttention(), { ...qkv, key })).toThrow(/mix: `key` .*3 heads/);
});

test("a state of another shape is refused", () => {
  expect(() => mix(linearAttention(), qkv, { initialState: zeros([2, 4, 3, 4]) })).toThrow(
    /`initialState` .*float32 \[2, 4, 3, 4\].*expected float32 \[2, 4, 3, 3\], as linearAttention\(\) has/,
  );
});

test("documents and padding of wrong lengths are refused", () => {
  expect(() => mix(linearAttention(), qkv, { documents: [0, 1] })).toThrow(
    /`documents` is .*expected 5 numbers/,
  );
  expect(() => mix(linearAttention(), qkv, { padding: [5] })).toThrow(
    /`padding` is .*expected 2, one per batch element/,
  );
});

test("ids that are not contiguous are refused, since a state cannot return to an earlier document", () => {
  const again =
    /mix: `documents` is "3 at token 3 again, after other documents", expected tokens of a document next to each other.*\nFix: sort the tokens by document/;
  expect(() => mix(linearAttention(), qkv, { documents: [3, 3, 1, 3, 3] })).toThrow(again);
  const own = [[0, 0, 1, 1, 1], [3, 3, 1, 3, 3]]; // prettier-ignore
  expect(() => mix(linearAttention(), qkv, { documents: own })).toThrow(again);
  // Padding is of no document.
  expect(() => mix(linearAttention(), qkv, { documents: own, padding: [5, 3] })).not.toThrow();
  expect(() => mix(linearAttention(), qkv, { documents: own[1]!, padding: [2, 3] })).not.toThrow();
  expect(() => mix(linearAttention(), qkv, { documents: own[1]!, padding: [2, 4] })).toThrow(again);
});

test("values that are not mixers, or not forms, are refused", () => {
  expect(() => mix(linearAttention as never, qkv)).toThrow(/`mixer` is .*expected a mixer/);
  expect(() => mix(linearAttention(), qkv, { form: 64 as never })).toThrow(
    /`form` is 64, expected a function/,
  );
  expect(() => chunkwise(0)).toThrow(
    /chunkwise: `chunkSize` is 0, expected an integer number of tokens, 1 or more/,
  );
});

test("`scale` multiplies the output", () => {
  const one = ones([1, 1, 1, 4]);
  const at = (scale?: number) =>
    mix(linearAttention(), { query: one, key: one, value: one }, scale === undefined ? {} : { scale }).output
      .data[0];
  expect([at(), at(1), at(-0.25)]).toEqual([2, 4, -1]);
});

test("golden: documents in only one of two sequences", () => {
  const one = ones([2, 1, 3, 1]);
  const documents = [
    [0, 0, 0],
    [0, 0, 1],
  ];
  const { output } = mix(
    linearAttention(),
    { query: one, key: one, value: tensor([1, 2, 3, 1, 2, 3], { shape: [2, 1, 3, 1] }) },
    { documents },
  );
  expect([...output.data]).toEqual([1, 3, 6, 1, 3, 3]);
});
