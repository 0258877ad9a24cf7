import { DeviceError } from "@qkv/core";

/** What this package uses of gpu.js, whose own types say less. */
export type GpuJs = {
  new (settings: { mode: string; canvas?: unknown; context?: unknown }): GpuInstance;
  readonly isWebGL2Supported: boolean;
  readonly isWebAssemblySupported: boolean;
};

export type GpuInstance = {
  createKernel(source: string, settings: Record<string, unknown>): GpuKernel;
  createKernelMap(
    others: Readonly<Record<string, string>>,
    source: string,
    settings: Record<string, unknown>,
  ): GpuKernel;
  readonly kernels: unknown[];
};

export type GpuKernel = {
  (...args: unknown[]): unknown;
  destroy(removeCanvas?: boolean): void;
  /** What really runs: its class tells the mode. */
  readonly kernel: { readonly constructor: { readonly mode: string }; readonly textureCache: unknown[] };
};

/**
 * Loads gpu.js when a device is made, not before: it weighs 156 kB, and importing this package must work where there is
 * no WebGL.
 */
export async function loadGpuJs(): Promise<GpuJs> {
  try {
    const loaded = (await import("gpu.js")) as unknown as { GPU?: GpuJs; default?: { GPU?: GpuJs } | GpuJs };
    // CJS by Node, CJS by a bundler, or the browser build, whose default is the class itself.
    const found = loaded.GPU ?? (loaded.default as { GPU?: GpuJs } | undefined)?.GPU ?? loaded.default;
    if (typeof found === "function") return found;
    throw new Error("the module has no GPU");
  } catch (cause) {
    throw new DeviceError({
      fn: "gpu",
      argument: "gpu.js",
      received: cause,
      expected: "the package gpu.js 2.24.1 or newer beside @qkv/gpu",
      fix: "install it: `npm install gpu.js`. It is a peer dependency, so that its weight is your choice.",
      cause,
    });
  }
}
