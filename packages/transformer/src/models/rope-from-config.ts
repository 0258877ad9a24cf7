import {
  dynamicNtk,
  linearScaling,
  llama3Scaling,
  longRope,
  rope,
  yarn,
  type Llama3ScalingOptions,
  type LongRopeOptions,
  type Rope,
  type RopeOptions,
  type RopeScaling,
  type YarnOptions,
} from "@qkv/attention";
import { checks } from "@qkv/core";
import { proportionalRope, type ProportionalRopeOptions } from "./proportional-rope.js";

/** Scaling of a rotary embedding for longer contexts, as data: its name and options. */
export type RopeScalingConfig =
  | { type: "linear"; factor: number }
  | { type: "dynamic"; factor: number; originalLength: number }
  | ({ type: "yarn" } & YarnOptions)
  | ({ type: "llama3" } & Llama3ScalingOptions)
  | ({ type: "longrope" } & LongRopeOptions)
  | ({ type: "proportional" } & ProportionalRopeOptions);

/** The rotary embedding of a configuration. */
export function ropeFromConfig(
  options: Omit<RopeOptions, "scaling">,
  scaling: RopeScalingConfig | undefined,
): Rope {
  return rope({ ...options, ...(scaling && { scaling: ropeScalingFromConfig(scaling) }) });
}

/** The scaling of a configuration. */
export function ropeScalingFromConfig(config: RopeScalingConfig): RopeScaling {
  switch (config.type) {
    case "linear":
      return linearScaling(
        checks("decoder").options(scalingOptions(config), ["factor"], "ropeScaling").factor,
      );
    case "dynamic":
      return dynamicNtk(scalingOptions(config));
    case "yarn":
      return yarn(scalingOptions(config));
    case "llama3":
      return llama3Scaling(scalingOptions(config));
    case "longrope":
      return longRope(scalingOptions(config));
    case "proportional":
      return proportionalRope(scalingOptions(config));
    default:
      return checks("decoder").refuse({
        argument: "ropeScaling.type",
        received: (config as { type?: unknown }).type,
        expected: '"linear", "dynamic", "yarn", "llama3", "longrope" or "proportional"',
        fix: "write `{ type, … }` with the options of that scaling, or leave `ropeScaling` out for none.",
      });
  }
}

/** The options without the name. */
function scalingOptions<T extends { type: string }>({ type: _type, ...options }: T): Omit<T, "type"> {
  return options;
}
