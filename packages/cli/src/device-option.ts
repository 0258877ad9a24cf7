import { ArgumentError } from "@qkv/core";
import { js, type Device } from "@qkv/tensor";
import { wasm } from "@qkv/wasm";

const devices: Readonly<Record<string, () => Device | Promise<Device>>> = {
  js,
  wasm: () => wasm(),
  "wasm,plain": () => wasm({ build: "plain" }),
  "wasm,relaxed": () => wasm({ build: "relaxed" }),
};

/** The names that `--device` takes, for its help. */
export const deviceNames: readonly string[] = Object.keys(devices);

/** The device that `--device` names. */
export async function openDevice(name: string): Promise<Device> {
  const open = Object.hasOwn(devices, name) ? devices[name] : undefined;
  if (open) return open();
  throw new ArgumentError({
    fn: "qkv",
    argument: "--device",
    received: name,
    expected: `a device: ${deviceNames.join(", ")}`,
    fix: "leave --device out for `js`, the plain device.",
  });
}
