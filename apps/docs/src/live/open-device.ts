import type { Device } from "@qkv/tensor";
import { setDefaultDevice } from "./default-device";
import type { LiveDevice } from "./live-device";
import { Replay } from "./replay";

/** Runs code once; on an asynchronous device repeatedly, until the data that it reads synchronously is available. */
export type Running = (once: () => Promise<void>) => Promise<void>;

const once: Running = (run) => run();
const opened = new Map<LiveDevice, Promise<Running>>();

/** Makes a device the default of live code, and returns a function that runs such code on it. */
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

/** Makes an asynchronous device the default of live code. */
export function onRemote(device: Device): Running {
  setDefaultDevice(device);
  const replay = new Replay(device);
  return (run) => replay.run(run);
}
