import { checks } from "@qkv/core";
import type { CheckedOptions, WebGpuOptions } from "./options.js";

/**
 * Parses the name of a device, `webgpu[,subgroups=on|off][,float16=on|off]` in any order, into options. The name of an existing
 * device gives the options for another one like it, on the default adapter.
 *
 * @param name - As written on a command line.
 * @returns The options; undefined if this is not the name of such a device.
 *
 * @example
 * ```ts
 * import { parseWebGpuName } from "@qkv/webgpu";
 *
 * parseWebGpuName("webgpu,subgroups=off"); // => {"subgroups":false}
 * parseWebGpuName("js"); // => undefined
 * ```
 */
export function parseWebGpuName(name: string): WebGpuOptions | undefined {
  checks("parseWebGpuName").type({ name }, "string");
  const [first, ...settings] = name.split(",");
  if (first !== "webgpu") return undefined;
  const options: WebGpuOptions = {};
  for (const setting of settings) {
    const [, option, value] = /^(subgroups|float16)=(on|off)$/.exec(setting) ?? [];
    if ((option !== "subgroups" && option !== "float16") || options[option] !== undefined) return undefined;
    options[option] = value === "on";
  }
  return options;
}

/** The name of a device for {@link parseWebGpuName}: options with non-default values. */
export function webGpuName({ subgroups, float16 }: Pick<CheckedOptions, "subgroups" | "float16">): string {
  const settings = [
    ...(subgroups === "auto" ? [] : [`subgroups=${subgroups ? "on" : "off"}`]),
    ...(float16 ? [] : ["float16=off"]),
  ];
  return ["webgpu", ...settings].join(",");
}
