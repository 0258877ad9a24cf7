import { DeviceError } from "@qkv/core";

/** The part of gpu.js that this package uses. gpu.js's own types are less precise. */
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
  /** gpu.js's implementation of the kernel. Its class has the mode. */
  readonly kernel: { readonly constructor: { readonly mode: string }; readonly textureCache: unknown[] };
};

/**
 * Loads gpu.js when a device is created, not when this package is imported: it has 156 kB (gzip), and the import must work
 * without WebGL.
 */
export async function loadGpuJs(): Promise<GpuJs> {
  try {
    const loaded = (await import("gpu.js")) as unknown as { GPU?: unknown; default?: { GPU?: unknown } };
    // CJS by Node, CJS by a bundler, the browser build, whose default is the class itself, or that build in a page
    // without a bundler, where it is a script that makes a global. WebGPU has a global of the same name.
    const candidates = [
      loaded.GPU,
      loaded.default?.GPU,
      loaded.default,
      (globalThis as { GPU?: unknown }).GPU,
    ];
    const found = candidates.find(isGpuJs);
    if (found) return found;
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

function isGpuJs(value: unknown): value is GpuJs {
  return typeof value === "function" && "isWebGL2Supported" in value;
}
