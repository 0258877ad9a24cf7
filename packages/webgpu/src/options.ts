import { checks, type Checks } from "@qkv/core";

export type WebGpuOptions = {
  // Structural types: compilers before TypeScript 6 do not include the types of WebGPU.
  /** The `GPUAdapter` to use. Default: the one that `gpu` returns. */
  adapter?: { requestDevice(...args: never[]): Promise<unknown> };
  /** The `GPU` object to request an adapter from. Default: `navigator.gpu`; in Node, the npm package `webgpu`. */
  gpu?: { requestAdapter(...args: never[]): Promise<unknown> };
  /** Preferred adapter if the machine has several. Default `high-performance`. */
  powerPreference?: "high-performance" | "low-power";
  /** Bytes of freed buffers that are kept for reuse. Default 256 MiB. */
  budgetBytes?: number;
  /**
   * True if sums over a workgroup use subgroup operations; an adapter without them is refused. Default `"auto"`: if the
   * adapter has them, with at least 8 lanes.
   */
  subgroups?: boolean | "auto";
  /**
   * True to keep weights of checkpoints in float16 or bfloat16, which takes half the memory: `linear` reads them in place, as
   * attention reads keys and values of these types. Sums are in float32 in any case, and no adapter feature is needed.
   * Default true.
   */
  float16?: boolean;
};

/** Checked options with defaults filled in. */
export type CheckedOptions = Required<Omit<WebGpuOptions, "adapter" | "gpu">> & {
  adapter?: GPUAdapter;
  gpu?: GPU;
};

/** Options of the adapter and its memory. */
export type AdapterOptions = Omit<WebGpuOptions, "subgroups" | "float16">;
export type CheckedAdapterOptions = Omit<CheckedOptions, "subgroups" | "float16">;

/** Names of {@link AdapterOptions}. */
export const adapterOptions = ["adapter", "gpu", "powerPreference", "budgetBytes"] as const;

/** Checks options and fills in defaults. */
export function checkOptions(unchecked: WebGpuOptions | undefined, fn = "webgpu"): CheckedOptions {
  const check = checks(fn);
  const options = check.options(unchecked, [...adapterOptions, "subgroups", "float16"]);
  const { subgroups = "auto", float16 = true } = options;
  const checked = checkAdapterOptions(check, options);
  if (subgroups !== "auto" && typeof subgroups !== "boolean")
    check.refuse({
      argument: "subgroups",
      received: subgroups,
      expected: 'true, false or "auto"',
      fix: "leave it out to use them where the adapter has them.",
    });
  check.type({ float16 }, "boolean");
  return { ...checked, subgroups, float16 };
}

/** {@link checkOptions} for the options that all devices have. */
export function checkAdapterOptions(check: Checks, options: AdapterOptions): CheckedAdapterOptions {
  const { adapter, gpu, powerPreference = "high-performance", budgetBytes = 2 ** 28 } = options;
  check.oneOf(
    { powerPreference },
    ["high-performance", "low-power"],
    "leave it out for the adapter with the most power.",
  );
  check.finite({ budgetBytes }, { min: 0, fix: "leave it out for 256 MiB." });
  if (adapter !== undefined && typeof adapter?.requestDevice !== "function")
    check.refuse({
      argument: "adapter",
      received: adapter,
      expected: "a GPUAdapter",
      fix: "pass what `await navigator.gpu.requestAdapter()` returns, or leave it out.",
    });
  if (gpu !== undefined && typeof gpu?.requestAdapter !== "function")
    check.refuse({
      argument: "gpu",
      received: gpu,
      expected: "an object that gives adapters, as `navigator.gpu` is",
      fix: "pass `navigator.gpu`, or in Node what `create([])` of the npm package `webgpu` returns.",
    });
  return {
    powerPreference,
    budgetBytes,
    ...(adapter && { adapter: adapter as GPUAdapter }),
    ...(gpu && { gpu: gpu as GPU }),
  };
}
