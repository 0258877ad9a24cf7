import { useSyncExternalStore } from "react";
import { namesDevice } from "./names-device";

/** A device that live code can run on, as the default of its tensors. */
export type LiveDevice = "js" | "wasm" | "webgpu";

/** Labels of the devices. */
export const deviceLabels: Readonly<Record<LiveDevice, string>> = {
  js: "JavaScript",
  wasm: "WebAssembly",
  webgpu: "WebGPU",
};

/** Reasons why an example cannot run on a device, by device; it runs on the others. */
export type Unfit = Readonly<Partial<Record<LiveDevice, string>>>;

const key = "qkv.live-device";
const listeners = new Set<() => void>();
let chosen: LiveDevice | undefined;

/** The device that the reader has chosen, stored in the browser. Default: plain JavaScript. */
export function chosenDevice(): LiveDevice {
  if (chosen === undefined) {
    let stored: string | null = null;
    try {
      stored = localStorage.getItem(key);
    } catch {
      // Storage is not available.
    }
    chosen = stored !== null && Object.hasOwn(deviceLabels, stored) ? (stored as LiveDevice) : "js";
  }
  return chosen;
}

/** Chooses a device for all live examples, of this page and later ones. */
export function chooseDevice(device: LiveDevice): void {
  chosen = device;
  try {
    localStorage.setItem(key, device);
  } catch {
    // Private windows have no storage: the choice lasts until the page is left.
  }
  listeners.forEach((listen) => listen());
}

const listen = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

/** Hook with the chosen device. */
export function useChosenDevice(): LiveDevice {
  return useSyncExternalStore(listen, chosenDevice, () => "js");
}

/** The device of an example, the reasons why it cannot run on others, and whether its code creates its own. */
export type Fit = { readonly device: LiveDevice; readonly why: Unfit; readonly named: boolean };

/**
 * The device for code: the chosen one, or plain JavaScript if the code cannot run on it.
 *
 * @param noAdapter - The reason why WebGPU is not available, if it is not.
 */
export function fitting(code: string, chosen: LiveDevice, unfit: Unfit, noAdapter: string | undefined): Fit {
  const why = { ...unfit, ...(noAdapter !== undefined && { webgpu: noAdapter }) };
  const named = namesDevice(code);
  return { device: named || why[chosen] !== undefined ? "js" : chosen, why, named };
}

let adapter: Promise<string | undefined> | undefined;

/** The reason why this browser has no WebGPU; undefined if there is an adapter. Determined once. */
export function whyNoAdapter(gpu: Pick<GPU, "requestAdapter"> | undefined = navigator.gpu) {
  adapter ??= !gpu
    ? Promise.resolve("this browser has no WebGPU")
    : gpu.requestAdapter().then(
        (found) => (found ? undefined : "no adapter here"),
        () => "no adapter here",
      );
  return adapter;
}
