import type { LearnedInputMap } from "@qkv/attention";
import { clamp, softplus, zeros } from "@qkv/tensor";
import type { ConfigFields } from "./config-fields.js";

/** The activation of Mamba-2's time step: softplus, clamped to limits. */
export type LimitedTimeStep = LearnedInputMap & { readonly limits: readonly [low: number, high: number] };

/** `time_step_limit`; undefined if it does not limit anything. */
export function timeStepLimits(fields: ConfigFields): LimitedTimeStep | undefined {
  const name = "time_step_limit";
  const list = fields.list(name);
  if (list === undefined) return undefined;
  const [low, high] = list.map(parseNumber);
  if (list.length !== 2 || low === undefined || high === undefined || !(low <= high))
    return fields.refuse(name, "two numbers, the lower first");
  return low <= 0 && high === Infinity ? undefined : limitedTimeStep([low, high]);
}

/** Writes `time_step_limit`. */
export const timeStepFields = (map: unknown) => {
  const limits = (map as Partial<LimitedTimeStep> | undefined)?.limits;
  return limits ? { time_step_limit: limits.map((x) => (x === Infinity ? infinity : x)) } : {};
};

function limitedTimeStep([low, high]: readonly [low: number, high: number]): LimitedTimeStep {
  return {
    name: `time step from ${low} to ${high}`,
    limits: [low, high],
    init: (shape) => ({ bias: zeros(shape) }),
    apply: (x) => clamp(softplus(x), { min: low, max: high }),
  };
}

/** Infinity as transformers writes it to JSON, which has no literal for it. */
const infinity = { __float__: "Infinity" };

function parseNumber(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  const text = (value as { __float__?: unknown } | null)?.__float__ ?? value;
  return text === "Infinity" || text === "inf" ? Infinity : undefined;
}
