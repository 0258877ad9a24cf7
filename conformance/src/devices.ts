import { ArgumentError } from "@qkv/core";
import { js } from "@qkv/tensor";
import { wasm } from "@qkv/wasm";
import type { Target } from "./case.js";

/** Every device that conformance can run on, by the name before `:` and `,`. `settings` is what follows a comma. */
const devices: Record<string, (spec: string, settings: readonly string[]) => Target | Promise<Target>> = {
  js(spec, settings) {
    if (settings.length > 0) refuse(spec, "js, which has no modes and no threads");
    return { device: js(), class: "host" };
  },
  async wasm(spec, settings) {
    const unknown = settings.find((setting) => !["plain", "relaxed", "threads=1"].includes(setting));
    if (unknown !== undefined) refuse(spec, "wasm, wasm,plain or wasm,relaxed, with threads=1");
    const build = settings.find((setting) => setting === "plain" || setting === "relaxed");
    return { device: await wasm(build ? { build } : {}), class: "host" };
  },
};

/**
 * Opens the device that the command line names: `NAME[:MODE][,threads=N][,plain|relaxed]`.
 *
 * @throws {ArgumentError} If there is no such device, or it has no such mode.
 */
export async function openDevice(spec: string): Promise<Target> {
  const [name = "", ...settings] = spec.split(",");
  if (!Object.hasOwn(devices, name)) refuse(spec, `one of ${Object.keys(devices).join(", ")}`);
  return devices[name]!(spec, settings);
}

function refuse(received: string, expected: string): never {
  throw new ArgumentError({
    fn: "conformance",
    argument: "--device",
    received,
    expected,
    fix: "leave --device out to run on js.",
  });
}
