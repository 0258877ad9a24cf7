import { checks } from "@qkv/core";
import type { Rope } from "./rope.js";
import { plainFrequencies } from "./rope-scaling.js";
import { checkLayout } from "./check-layout.js";
import type { RotaryLayout } from "./check-layout.js";
import { checkRotary, rotateByPosition, type Tables } from "./rotate-by-position.js";

export type XposOptions = {
  /** D, the size of one head. */
  headDim: number;
  /** Pair i rotates by `position · base^(-2i / rotaryDim)`. Default 10000. */
  base?: number;
  /** Over how many tokens pair i fades by `ζᵢ`. Default 512. */
  scaleBase?: number;
  /** Numbers that make a pair. Default `half`. */
  layout?: RotaryLayout;
  /** Number of rotated numbers of a head, an even number of at most headDim. Default: all. */
  rotaryDim?: number;
};

/**
 * xPos: a rotary embedding whose scores decay with distance. Pair i of a query is scaled by `ζᵢ^(position / scaleBase)`
 * and that of a key by its inverse, so a score has the factor `ζᵢ^((i − j) / scaleBase)`, with `ζᵢ = (2i + 0.4 r) / 1.4
 * r` for r rotated numbers: fast pairs decay most. Use it with causal attention; for keys after the query, the factor
 * would grow.
 *
 * Numbers grow with positions: float32 holds them to about position 36000 (`scaleBase` 512).
 *
 * @returns `query` and `key`: one rotary embedding for each of both.
 * @throws {ArgumentError} If `rotaryDim` is odd or larger than `headDim`, or a base is not above 0.
 * @see "A Length-Extrapolatable Transformer" (2022), arXiv:2212.10554
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { attentionWeights, causal, xpos } from "@qkv/attention";
 *
 * const x = randn([1, 2, 5, 8], { seed: 1 }); // [B, H, T, D]
 * const { query, key } = xpos({ headDim: 8 });
 * const positions = { start: 0 };
 * attentionWeights(query.apply(x, positions), key.apply(x, positions), { mask: causal() }).shape; // => [1, 2, 5, 5]
 * ```
 */
export function xpos(options: XposOptions): { readonly query: Rope; readonly key: Rope } {
  const check = checks("xpos");
  const {
    headDim,
    base = 10000,
    scaleBase = 512,
    layout = "half",
    rotaryDim = headDim,
  } = check.options(options, ["headDim", "base", "scaleBase", "layout", "rotaryDim"]);
  checkRotary("xpos", headDim, rotaryDim, base);
  checkLayout("xpos", layout);
  check.finite({ scaleBase }, { min: 1, unit: "tokens", fix: "leave it out for 512." });
  const frequencies = plainFrequencies(base, rotaryDim);
  const fade = frequencies.map((_, i) => (2 * i + 0.4 * rotaryDim) / (1.4 * rotaryDim));
  const part = rotaryDim === headDim ? "" : `, rotaryDim: ${rotaryDim}`;
  const name = `xpos({ headDim: ${headDim}, base: ${base}, scaleBase: ${scaleBase}, layout: "${layout}"${part} })`;
  const side = (role: "query" | "key"): Rope => {
    const sign = role === "query" ? 1 : -1;
    const scale = (pair: number, position: number) => fade[pair]! ** ((sign * position) / scaleBase);
    const tables: Tables = {};
    return {
      name: `${name}.${role}`,
      apply: (x, positions) =>
        rotateByPosition("xpos", x, positions, { headDim, layout, tables }, () => ({ frequencies, scale })),
    };
  };
  return { query: side("query"), key: side("key") };
}
