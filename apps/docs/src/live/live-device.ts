import { useSyncExternalStore } from "react";
import { namesDevice } from "./names-device";

/** A device that live code can run on: the one of tensors that name none. */
export type LiveDevice = "js" | "wasm" | "webgpu";

/** Devices, as a reader chooses among them. */
export const deviceLabels: Readonly<Record<LiveDevice, string>> = {
  js: "JavaScript",
  wasm: "WebAssembly",
  webgpu: "WebGPU",
};

/** Reasons against running an example, by device; it runs on the others. */
export type Unfit = Readonly<Partial<Record<LiveDevice, string>>>;

const key = "qkv.live-device";
const listeners = new Set<() => void>();
let chosen: LiveDevice | undefined;

/** The device that the reader has chosen, kept on this device of theirs. Default: plain JavaScript. */
export function chosenDevice(): LiveDevice {
  if (chosen === undefined) {
    let kept: string | null = null;
    try {
      kept = localStorage.getItem(key);
    } catch {
      // A browser that keeps nothing.
    }
    chosen = kept !== null && Object.hasOwn(deviceLabels, kept) ? (kept as LiveDevice) : "js";
  }
  return chosen;
}

/** Chooses a device for every live example, of this page and of those that follow. */
export function chooseDevice(device: LiveDevice): void {
  chosen = device;
  try {
    localStorage.setItem(key, device);
  } catch {
    // Private windows keep nothing: it lasts until the page is left.
  }
  listeners.forEach((listen) => listen());
}

const listen = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

/** The chosen device, kept up to date. */
export function useChosenDevice(): LiveDevice {
  return useSyncExternalStore(listen, chosenDevice, () => "js");
}

/** The device of an example, why it is not on others, and whether its code names it. */
export type Fit = { readonly device: LiveDevice; readonly why: Unfit; readonly named: boolean };

/**
 * The device of code: the chosen one, or plain JavaScript where it cannot run there.
 *
 * @param noAdapter - The reason that there is no WebGPU here, if there is none.
 */
export function fitting(code: string, chosen: LiveDevice, unfit: Unfit, noAdapter: string | undefined): Fit {
  const why = { ...unfit, ...(noAdapter !== undefined && { webgpu: noAdapter }) };
  const named = namesDevice(code);
  return { device: named || why[chosen] !== undefined ? "js" : chosen, why, named };
}

let adapter: Promise<string | undefined> | undefined;

/** The reason that there is no WebGPU in this browser; undefined where there is an adapter. Determined once. */
export function whyNoAdapter(gpu: Pick<GPU, "requestAdapter"> | undefined = navigator.gpu) {
  adapter ??= !gpu
    ? Promise.resolve("this browser has no WebGPU")
    : gpu.requestAdapter().then(
        (found) => (found ? undefined : "no adapter here"),
        () => "no adapter here",
      );
  return adapter;
}
