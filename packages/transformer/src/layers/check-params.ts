import type { Checks } from "@qkv/core";
import { isTensor } from "@qkv/tensor";

/**
 * Refuses params that lack what a layer reads first, and what is no params at all: nothing, a tensor, ids.
 *
 * @param names - Paths of objects inside, as `embedding.weight`.
 */
export function checkParams(check: Checks, params: unknown, names: readonly string[]): void {
  if (typeof params !== "object" || params === null || Array.isArray(params) || isTensor(params)) {
    check.refuse({
      argument: "params",
      received: params,
      expected: `an object of weights, with ${names.join(", ")}`,
      fix: "give the params first, then the input: those of `init(seed)`, or of a model that was loaded.",
    });
  }
  for (const name of names) {
    let value: unknown = params;
    for (const key of name.split(".")) value = (value as Record<string, unknown> | undefined)?.[key];
    // A weight is a tensor, or the object of one that was rounded.
    if (typeof value === "object" && value !== null) continue;
    check.refuse({
      argument: `params.${name}`,
      received: value,
      expected: "weights, as the configuration asks for them",
      fix: "take the params of `init(seed)`, or load those of a checkpoint.",
    });
  }
}
