import type { LearnedInputMap } from "@qkv/attention";
import { clamp, softplus, zeros } from "@qkv/tensor";
import type { ConfigFields } from "./config-fields.js";

/** Time steps of Mamba-2, held between limits. */
export type LimitedTimeStep = LearnedInputMap & { readonly limits: readonly [low: number, high: number] };

/** Limits of time steps that a file names; undefined where they hold nothing back. */
export function timeStepLimits(fields: ConfigFields): LimitedTimeStep | undefined {
  const name = "time_step_limit";
  const list = fields.list(name);
  if (list === undefined) return undefined;
  const [low, high] = list.map(numberOf);
  if (list.length !== 2 || low === undefined || high === undefined || !(low <= high))
    return fields.refuse(name, "two numbers, the lower first");
  return low <= 0 && high === Infinity ? undefined : limitedTimeStep([low, high]);
}

/** Limits as a file has them. */
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

/** Infinity in JSON, which has none, as transformers writes it. */
const infinity = { __float__: "Infinity" };

function numberOf(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  const text = (value as { __float__?: unknown } | null)?.__float__ ?? value;
  return text === "Infinity" || text === "inf" ? Infinity : undefined;
}
