import { checkFits, checkOneOf } from "@qkv/core";
import { floatTensor } from "../float-tensor.js";
import { checkTensor } from "../op.js";
import { mean } from "../ops/mean.js";
import { sum } from "../ops/sum.js";
import type { Tensor } from "../tensor.js";

/** Options that every loss has. */
export type LossOptions = {
  /** `"mean"` (default) or `"sum"` of all losses, or `"none"` for a tensor of them. */
  reduction?: "mean" | "sum" | "none";
};

/** Applies the reduction to a tensor of losses. */
export function reduceLosses(
  fn: string,
  losses: Tensor,
  reduction: LossOptions["reduction"] = "mean",
): Tensor {
  checkOneOf(fn, "reduction", reduction, ["mean", "sum", "none"], "leave it out for the mean.");
  if (reduction === "none") return losses;
  return reduction === "sum" ? sum(losses) : mean(losses);
}

/** Refuses tensors with another dtype or shape than the first one: broadcasting would hide mistakes. */
export function checkSameShape(
  fn: string,
  first: Readonly<Record<string, Tensor>>,
  others: Readonly<Record<string, Tensor>>,
): void {
  const [[name, x] = ["x", undefined]] = Object.entries(first);
  const { dtype, shape } = floatTensor(fn, name, x);
  for (const [argument, other] of Object.entries(others))
    checkFits(
      fn,
      argument,
      checkTensor(fn, argument, other),
      { dtype, shape },
      `as ${name} is`,
      `losses do not broadcast; \`reshape\` or \`broadcastTo\` gives it the shape of ${name}.`,
    );
}
