import { checks } from "@qkv/core";

/** The engine of the kernels: shaders in WebGL2, or gpu.js's own WebAssembly, which needs no GPU. */
export type GpuMode = "webgl2" | "webasm";

export type GpuOptions = {
  /** Default `auto`: `webgl2` where a hardware renderer is found, else `webasm`. */
  mode?: GpuMode | "auto";
  /** True to repeat work that failed on the device on the plain device, and report it. Default false: failures throw. */
  fallback?: boolean;
  /** Bytes of results outside of scopes that stay on the device. Default 256 MiB. */
  budgetBytes?: number;
  /** Largest side of a texture. Default: the adapter's. */
  maxTextureSize?: number;
};

const refused: Record<string, string> = {
  webgpu: "use `await webgpu()` of @qkv/webgpu, whose shaders are written for WebGPU.",
  webgl: "WebGL1 has only loops with constant bounds, and no float textures to rely on: use `webgl2`.",
  cpu: "gpu.js's cpu mode needs `eval` and is no faster than plain code: use `js()` of @qkv/tensor.",
  headlessgl: "it is WebGL1: use `webasm` in Node.",
  gpu: "leave `mode` out: the best one is found.",
  dev: "it is for debugging kernels of your own: leave `mode` out.",
  async: "results are returned at once here in every mode, and reading waits: leave `mode` out.",
};

/** Checks options and fills in defaults. */
export function checkOptions(unchecked: GpuOptions | undefined): Required<GpuOptions> {
  const check = checks("gpu");
  const names = ["mode", "fallback", "budgetBytes", "maxTextureSize"] as const;
  const options = check.options(unchecked, names);
  const { mode = "auto", fallback = false, budgetBytes = 2 ** 28, maxTextureSize = 2 ** 14 } = options;
  const fix = Object.hasOwn(refused, mode) ? refused[mode] : "leave it out: the best one is found.";
  check.oneOf({ mode }, ["auto", "webgl2", "webasm"], fix);
  check.type({ fallback }, "boolean", "leave it out for errors.");
  check.finite({ budgetBytes }, { min: 0, fix: "leave it out for 256 MiB." });
  check.whole(
    { maxTextureSize },
    { min: 2, unit: "texels", fix: "leave it out for what the adapter takes." },
  );
  return { mode, fallback, budgetBytes, maxTextureSize };
}
