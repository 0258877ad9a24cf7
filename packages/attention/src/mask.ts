import { checks, defineBrand } from "@qkv/core";
import type { BoundMask, Extent, Mask, PendingMask, Range, TileClass } from "@qkv/attention-contract";

declare const __VERSION__: string;
const brand = /* @__PURE__ */ defineBrand("attention/Mask", 1, __VERSION__);

type Sees = BoundMask["sees"];
type Tile = (query: Range, key: Range, batch: number, head: number) => TileClass;
type Bind = (extent: Extent) => { sees: Sees; tile?: Tile };

/** Definition of a mask: a rule over positions, or `bind` for a rule that depends on the lengths. */
export type MaskDefinition = {
  /** The call that created the mask, for messages and pictures: `slidingWindow(256)`. */
  name: string;
  /** True if the rule depends on the batch index. Default false. */
  perBatch?: boolean;
  /** True if the rule depends on the head. Default false. */
  perHead?: boolean;
  /** The mask as bool tensors on a device, for a rule whose numbers are not on the host. Default: the rule is known on the host. */
  pending?: PendingMask | undefined;
} & ({ sees: Sees; tile?: Tile } | { bind(extent: Extent): { sees: Sees; tile?: Tile } });

/**
 * Defines a mask by its rule. Positions are absolute positions in the sequence, and the queries are the last ones. A mask without
 * `tile` is evaluated for each pair of a query and a key.
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
  const check = checks("defineMask");
  const names = ["name", "perBatch", "perHead", "pending", "sees", "tile", "bind"] as const;
  const { name, perBatch = false, perHead = false, pending } = check.options(definition, names, "definition");
  check.type({ name }, "string");
  check.type({ perBatch, perHead }, "boolean");
  const { sees, tile = noTile, bind } = definition as { sees?: Sees; tile?: Tile; bind?: Bind };
  check.type(bind === undefined ? { sees, tile } : { bind }, "function");
  const mask: Mask = {
    name,
    perBatch,
    perHead,
    ...(pending && { pending }),
    bind(extent) {
      const rule = bind?.(extent) ?? { sees: sees!, tile };
      return {
        sees(query, key, batch, head) {
          const seen = rule.sees(query, key, batch, head);
          return seen === true || seen === false ? seen : refuseAnswer(name, "sees", seen, "true or false");
        },
        tile(query, key, batch, head) {
          const seen = (rule.tile ?? noTile)(query, key, batch, head);
          if (seen === "some" || seen === "all" || seen === "none") return seen;
          return refuseAnswer(name, "tile", seen, '"none", "some" or "all"');
        },
      };
    },
  };
  return Object.assign(mask, { [brand.key]: brand.stamp });
}

const noTile = () => "some" as const;

/** Throws the error for a rule that returns an invalid value. A rule without `return` would mask every key. */
function refuseAnswer(name: string, rule: string, received: unknown, answers: string): never {
  return checks("defineMask").refuse({
    argument: `${rule} of ${name}`,
    received,
    expected: `an answer of ${answers}`,
    fix: "return it from the rule, in each of its branches.",
  });
}

export const isMask = (value: unknown): value is Mask => brand.has(value);

/** Returns a mask. Refuses other values, with a fix for common mistakes, such as passing a tensor or the function `causal`. */
export function checkMask(fn: string, argument: string, value: unknown): Mask {
  if (isMask(value)) return value;
  return checks(fn).refuse({
    argument,
    received: value,
    expected: "a mask such as causal() or and(causal(), padding(lengths))",
    fix: "call the mask's function (`causal()`, not `causal`); wrap a bool tensor with `maskTensor`, pass a float tensor as `bias`.",
  });
}

/** Refuses an empty list, and a list with a value that is not a mask. */
export function checkMasks(fn: string, masks: readonly Mask[]): void {
  const fix = "name the masks that it combines; without any there is no mask to pass.";
  checks(fn).each({ masks }, () => masks.length > 0, "one mask or more", fix);
  masks.forEach((mask, i) => checkMask(fn, `masks[${i}]`, mask));
}

/** The position of the first query: queries are the last `queryLength` of `keyLength` positions. */
export function firstQuery({ queryLength, keyLength }: Extent): number {
  return keyLength - queryLength;
}
