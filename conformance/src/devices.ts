import { ArgumentError } from "@qkv/core";
import { js } from "@qkv/tensor";
import type { Target } from "./case.js";

/** Every device that conformance can run on, by the name before `:` and `,`. */
const devices: Record<string, () => Target | Promise<Target>> = {
  js: () => ({ device: js(), class: "host" }),
};

/**
 * Opens the device that the command line names: `NAME[:MODE][,threads=N][,plain|relaxed]`.
 *
 * @throws {ArgumentError} If there is no such device, or it has no such mode.
 */
export async function openDevice(spec: string): Promise<Target> {
  const name = spec.split(/[:,]/, 1)[0]!;
  if (!Object.hasOwn(devices, name)) refuse(spec, `one of ${Object.keys(devices).join(", ")}`);
  if (name === "js" && spec !== name) refuse(spec, "js, which has no modes and no threads");
  return devices[name]!();
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
