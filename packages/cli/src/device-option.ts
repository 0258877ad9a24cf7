import { ArgumentError } from "@qkv/core";
import { js, type Device } from "@qkv/tensor";

const devices: Readonly<Record<string, () => Device>> = { js };

/** The names that `--device` takes, for its help. */
export const deviceNames: readonly string[] = Object.keys(devices);

/** The device that `--device` names. */
export function openDevice(name: string): Device {
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
