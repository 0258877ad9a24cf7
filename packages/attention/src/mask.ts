import { defineBrand, refuse } from "@qkv/core";
import type { BoundMask, Extent, Mask, Range, TileClass } from "@qkv/tensor";

declare const __VERSION__: string;
const brand = /* @__PURE__ */ defineBrand("attention/Mask", 1, __VERSION__);

type Sees = BoundMask["sees"];
type Tile = (query: Range, key: Range, batch: number, head: number) => TileClass;

/** What makes a mask: a rule over positions, or `bind` for a rule that needs the lengths first. */
export type MaskDefinition = {
  /** How the mask was written, for messages and pictures: `slidingWindow(256)`. */
  name: string;
  /** Whether the rule looks at the batch. Default false. */
  perBatch?: boolean;
  /** Whether the rule looks at the head. Default false. */
  perHead?: boolean;
} & ({ sees: Sees; tile?: Tile } | { bind(extent: Extent): { sees: Sees; tile?: Tile } });

/**
 * Makes a mask from its rule. Positions are absolute places in the sequence; queries are the last ones. A mask
 * without `tile` is asked key by key.
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { attentionWeights, defineMask } from "@qkv/attention";
 *
 * const everySecond = defineMask({ name: "everySecond", sees: (query, key) => (query - key) % 2 === 0 });
 * const x = randn([1, 1, 4, 8], { seed: 1 }); // [B, H, T, D]
 * attentionWeights(x, x, { mask: everySecond }).data[1]; // => 0
 * ```
 */
export function defineMask(definition: MaskDefinition): Mask {
  const { name, perBatch = false, perHead = false } = definition;
  const mask: Mask = {
    name,
    perBatch,
    perHead,
    bind(extent) {
      const { sees, tile = () => "some" as const } =
        "bind" in definition ? definition.bind(extent) : definition;
      return {
        sees(query, key, batch, head) {
          const seen = sees(query, key, batch, head);
          return seen === true || seen === false ? seen : refuseAnswer(name, "sees", seen, "true or false");
        },
        tile(query, key, batch, head) {
          const seen = tile(query, key, batch, head);
          if (seen === "some" || seen === "all" || seen === "none") return seen;
          refuseAnswer(name, "tile", seen, '"none", "some" or "all"');
        },
      };
    },
  };
  return Object.assign(mask, { [brand.key]: brand.stamp });
}

/** A rule that forgets its `return` would hide every key. */
function refuseAnswer(name: string, rule: string, answer: unknown, expected: string): never {
  const fix = "return it from the rule, in each of its branches.";
  refuse("defineMask", `${rule} of ${name}`, answer, `an answer of ${expected}`, fix);
}

/** Refuses what is not a mask, with the fix for what people pass instead. */
export function checkMask(fn: string, argument: string, value: unknown): Mask {
  if (brand.has(value)) return value as Mask;
  refuse(
    fn,
    argument,
    value,
    "a mask such as causal() or and(causal(), padding(lengths))",
    "call the mask's function (`causal()`, not `causal`); wrap a bool tensor with `maskTensor`, pass a float tensor as `bias`.",
  );
}

/** The position of the first query: queries are the last `queryLength` of `keyLength` positions. */
export function firstQuery({ queryLength, keyLength }: Extent): number {
  return keyLength - queryLength;
}
