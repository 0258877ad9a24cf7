import type { Message } from "@qkv/page";
import { js } from "@qkv/tensor";
import type { Device, Kernels, Storage } from "@qkv/tensor/contracts";
import { wasm } from "@qkv/wasm";
import { setDefaultDevice } from "./default-device";
import type { Unfit } from "./live-device";
import { namesDevice } from "./names-device";
import { onRemote } from "./open-device";

/**
 * Devices that an example cannot run on, with the reason: its code fails there, or a check that holds on plain JavaScript does
 * not. WebGPU is emulated by a device that returns data asynchronously.
 *
 * @param code - The example. If it creates its own device, it cannot run on others.
 * @param run - Runs the example, and returns its messages.
 * @param before - Its messages on plain JavaScript.
 */
export async function unfitDevices(
  code: string,
  run: () => Promise<readonly Message[]>,
  before: readonly Message[],
): Promise<Unfit> {
  if (namesDevice(code)) return {};
  const unfit: { wasm?: string; webgpu?: string } = {};
  const kinds = (messages: readonly Message[]) =>
    messages
      .map((message) => (message.type === "check" ? `${message.what} ${message.holds}` : message.type))
      .join();
  const attempt = async (name: keyof typeof unfit, runs: (once: () => Promise<void>) => Promise<void>) => {
    let after: readonly Message[] = [];
    try {
      await runs(async () => void (after = await run()));
      if (kinds(after) !== kinds(before)) unfit[name] = "its checks are of plain JavaScript";
    } catch (error) {
      unfit[name] = String((error as Error).message).includes("reads more than")
        ? "it reads too many numbers at once"
        : "it needs plain JavaScript";
    } finally {
      setDefaultDevice(undefined);
    }
  };
  const device = await wasm({ threads: 1 });
  await attempt("wasm", (once) => {
    setDefaultDevice(device);
    return once();
  });
  // WebAssembly is faster, unless the example cannot run there.
  await attempt("webgpu", onRemote(laterDevice(unfit.wasm ? js() : await wasm({ threads: 1 }))));
  return unfit;
}

/** A device that computes on the kernels of another, and returns data asynchronously, as a GPU does. */
export function laterDevice(base: Device = js()): Device {
  const computed = new WeakSet<Storage>();
  /** Running kernels, which may read the data. */
  let running = 0;
  const kernel =
    (name: keyof Kernels) =>
    (...call: never[]): unknown => {
      running += 1;
      const ownKernel = base.kernels[name] as ((...call: never[]) => unknown) | undefined;
      return ownKernel ? ownKernel(...call) : false;
    };
  const later: Device = {
    ...base,
    name: "later",
    remote: true,
    kernels: new Proxy({}, { get: (_, name) => kernel(name as keyof Kernels) }),
    allocate(...given) {
      const storage = base.allocate(...given);
      computed.add(storage);
      return storage;
    },
    isPending: (storage) => running === 0 && computed.has(storage),
    fetch: (storage) => Promise.resolve(base.array(storage).slice()),
    countCall() {
      running -= 1;
    },
  };
  delete later.isDeviceMemory; // remote devices have none that the host can access
  return later;
}
