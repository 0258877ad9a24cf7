import { checks, ShapeError } from "@qkv/core";
import { checkTensor, type Tensor } from "@qkv/tensor";
import type { FactoredSteps } from "./scan.js";

/** Checks the steps and the initial state of a scan: each must be a tensor with four axes. */
export function checkSteps(fn: string, steps: FactoredSteps, state: Tensor): FactoredSteps {
  const check = checks(fn);
  const names = ["query", "key", "value", "decay", "erase", "reads", "beta", "erases", "scale"] as const;
  const given = check.options(steps, names, "steps");
  const { query, key, value, decay, erase, beta } = given;
  const needed = { query, key, value, state };
  const optional = Object.entries({ decay, erase, beta }).filter(([, x]) => x !== undefined);
  for (const [argument, x] of [...Object.entries(needed), ...optional]) {
    const { shape } = checkTensor(fn, argument, x);
    if (shape.length === 4) continue;
    const expected = argument === "state" ? "[B, H, K, V]" : "[B, H, T, …]";
    const fix = "give it to `mix` as the `form`, which brings inputs to these axes.";
    check.refuse({ argument, received: shape, expected, fix }, ShapeError);
  }
  return given;
}
