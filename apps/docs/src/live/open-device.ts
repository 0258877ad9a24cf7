import type { Device } from "@qkv/tensor";
import { setDefaultDevice } from "./default-device";
import type { LiveDevice } from "./live-device";
import { Replay } from "./replay";

/** Runs code once; on a device whose numbers come later again and again, until it has those that it reads at once. */
export type Running = (once: () => Promise<void>) => Promise<void>;

const once: Running = (run) => run();
const opened = new Map<LiveDevice, Promise<Running>>();

/** Makes a device that of live code's tensors, and returns what runs such code on it. */
export async function runningOn(name: LiveDevice): Promise<Running> {
  const known = opened.get(name) ?? open(name);
  opened.set(name, known);
  return known;
}

async function open(name: LiveDevice): Promise<Running> {
  if (name === "js") return once;
  if (name === "wasm") {
    const { wasm } = await import("@qkv/wasm");
    setDefaultDevice(await wasm());
    return once;
  }
  const { webgpu } = await import("@qkv/webgpu");
  return onRemote(await webgpu());
}

/** Makes a device whose numbers come later that of live code's tensors. */
export function onRemote(device: Device): Running {
  setDefaultDevice(device);
  const replay = new Replay(device);
  return (run) => replay.run(run);
}
