import type { Mask } from "@qkv/attention-contract";
import { sizeOf, tensor } from "@qkv/tensor";
import fc from "fast-check";
import {
  and,
  bigBird,
  blockSparse,
  causal,
  chunked,
  dilated,
  documents,
  keepFirst,
  maskMod,
  maskTensor,
  not,
  or,
  padding,
  patches,
  prefix,
  slidingWindow,
  strided,
  tree,
} from "@qkv/attention";
import * as attention from "@qkv/attention";
import { catalogue } from "@qkv/attention/catalogue";

/** The number of positions that the masks below are made for, with two batches and two heads. */
export const positions = 12;

const wholeNumber = (least: number, most = 8) => fc.integer({ min: least, max: most });
const bools = (...shape: number[]) => {
  const length = sizeOf(shape);
  return fc
    .array(fc.boolean(), { minLength: length, maxLength: length })
    .map((values) => tensor(values, { shape }));
};
const ids = fc.array(wholeNumber(0, 2), { minLength: positions, maxLength: positions });

/** Random masks by name, for masks whose arguments are not just sizes of 1 to 5. */
export const kinds: Readonly<Record<string, fc.Arbitrary<Mask>>> = {
  causal: fc.constantFrom(causal({ align: "bottom-right" }), causal({ align: "top-left" })),
  offset: wholeNumber(-4, 4).map((offset) => causal({ offset })),
  slidingWindow: fc.oneof(wholeNumber(1), fc.constant(Infinity)).map((size) => slidingWindow(size)),
  bothSides: fc
    .tuple(fc.oneof(wholeNumber(0), fc.constant(Infinity)), fc.oneof(wholeNumber(0), fc.constant(Infinity)))
    .map(([before, after]) => slidingWindow({ before, after })),
  keepFirst: wholeNumber(0).map(keepFirst),
  prefix: wholeNumber(0).map(prefix),
  padding: fc.tuple(wholeNumber(0), wholeNumber(0)).map(padding),
  documents: fc.oneof(
    ids.map((list) => documents(list)),
    ids.map((list) => documents([...list].sort((a, b) => a - b))),
    fc.tuple(ids, ids).map((lists) => documents(lists)),
  ),
  patches: fc.oneof(
    fc.tuple(ids, wholeNumber(1, 3)).map(([list, rowsPerPatch]) => patches(list, { rowsPerPatch })),
    fc.tuple(ids, ids).map((lists) => patches(lists.map((list) => [...list].sort((a, b) => a - b)))),
  ),
  dilated: fc.tuple(wholeNumber(1, 4), wholeNumber(1, 4)).map(([size, step]) => dilated(size, step)),
  strided: wholeNumber(1, 5).map(strided),
  chunked: fc.oneof(wholeNumber(1), fc.constant(Infinity)).map(chunked),
  bigBird: fc
    .record({
      blockSize: wholeNumber(1, 3),
      windowBlocks: fc.constantFrom(1, 3),
      globalBlocks: fc.constantFrom([], [0], [0, -1]),
      randomBlocks: wholeNumber(0, 2),
      seed: fc.nat(9),
    })
    .map(bigBird),
  blockSparse: fc.oneof(
    bools(4, 4).map((layout) => blockSparse(layout, 3)),
    bools(2, 4, 4).map((layout) => blockSparse(layout, 3)),
  ),
  tree: wholeNumber(0, positions)
    .chain((nodes) => fc.tuple(...Array.from({ length: nodes }, (_, node) => wholeNumber(-1, node - 1))))
    .map(tree),
  maskTensor: bools(2, 2, 1, positions).map(maskTensor),
  maskMod: wholeNumber(1, 4).map((n) =>
    maskMod((batch, head, query, key) => (query * 3 + key * 5 + batch + 2 * head) % (n + 1) === 0),
  ),
};

const combined = ["and", "or", "not"];

/**
 * Random masks of each kind in the catalogue. The parameters of one that is not listed in {@link kinds} are random integers
 * from 1 to 5.
 */
export const catalogueMasks: Readonly<Record<string, fc.Arbitrary<Mask>>> = Object.fromEntries(
  catalogue
    .filter(({ kind, exports: [name] }) => kind === "mask" && !combined.includes(name))
    .map(({ exports: [name] }) => [name, kinds[name] ?? masksOfSizes(name)]),
);

function masksOfSizes(name: string): fc.Arbitrary<Mask> {
  const make = (attention as unknown as Record<string, (...sizes: number[]) => Mask>)[name]!;
  return fc.tuple(...Array.from({ length: make.length }, () => wholeNumber(1, 5))).map((sizes) => {
    try {
      return make(...sizes);
    } catch (error) {
      const fix = `\`${name}\` is in the catalogue, so every test of masks makes one, here by ${name}(${sizes.join(", ")}).`;
      throw new Error(`${fix}\nFix: list its own random arguments in \`kinds\` of random-masks.ts.`, {
        cause: error,
      });
    }
  });
}

/** Random masks of any kind, and their combinations by `and`, `or` and `not`. */
export const masks: fc.Arbitrary<Mask> = fc.letrec<{ any: Mask; leaf: Mask }>((of) => ({
  leaf: fc.oneof(...Object.values({ ...kinds, ...catalogueMasks })),
  any: fc.oneof(
    { maxDepth: 2, depthIdentifier: "mask" },
    of("leaf"),
    fc.array(of("any"), { minLength: 1, maxLength: 3, depthIdentifier: "mask" }).map((list) => and(...list)),
    fc.array(of("any"), { minLength: 1, maxLength: 3, depthIdentifier: "mask" }).map((list) => or(...list)),
    of("any").map(not),
  ),
})).any;
