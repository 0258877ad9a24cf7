import { knownNames } from "@qkv/core";
import type { Checks } from "@qkv/core";
import { isTensor } from "@qkv/tensor";

/**
 * Refuses params without the entries that a layer needs, and values that are not params, such as undefined, a tensor or ids.
 *
 * @param names - Paths in the params, such as `embedding.weight`.
 */
export function checkParams(check: Checks, params: unknown, names: readonly string[]): void {
  if (typeof params !== "object" || params === null || Array.isArray(params) || isTensor(params)) {
    check.refuse({
      argument: "params",
      received: params,
      expected: `an object of weights, with ${knownNames(undefined, names, "the result of `init(seed)`")}`,
      fix: "give the params first, then the input: those of `init(seed)`, or of a model that was loaded.",
    });
  }
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!;
    const value = (params as Record<string, unknown>)[name] ?? valueAt(params, name);
    // A weight is a tensor or a quantized matrix.
    if (typeof value === "object" && value !== null) continue;
    check.refuse({
      argument: `params.${name}`,
      received: value,
      expected: "weights, as the configuration asks for them",
      fix: "take the params of `init(seed)`, or load those of a checkpoint.",
    });
  }
}

/** Refuses params with more or fewer layers than the configuration has. */
export function checkLayerCount(
  check: Checks,
  params: { readonly layers: readonly unknown[] },
  count: number,
): void {
  if (params.layers.length === count) return;
  check.refuse({
    argument: "params.layers",
    received: `${params.layers.length} layers`,
    expected: `${count}, as the configuration says`,
    fix: "take the params and the configuration of one model.",
  });
}

/** The value at a path. Does not split the path into an array, because this would slow down decoding measurably. */
function valueAt(params: object, path: string): unknown {
  let value: unknown = params;
  for (let start = 0; start <= path.length;) {
    const dot = path.indexOf(".", start);
    const end = dot < 0 ? path.length : dot;
    value = (value as Record<string, unknown> | null | undefined)?.[path.slice(start, end)];
    start = end + 1;
  }
  return value;
}
