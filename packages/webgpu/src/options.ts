import { checks, type Checks } from "@qkv/core";

export type WebGpuOptions = {
  // By what is called: compilers before TypeScript 6 do not know the types of WebGPU.
  /** An adapter of the program's own, a `GPUAdapter`. Default: the one that `gpu` gives. */
  adapter?: { requestDevice(...args: never[]): Promise<unknown> };
  /** The object that gives adapters. Default: `navigator.gpu`; in Node without one the npm package `webgpu`. */
  gpu?: { requestAdapter(...args: never[]): Promise<unknown> };
  /** Kind of adapter where a machine has several. Default `high-performance`. */
  powerPreference?: "high-performance" | "low-power";
  /** Bytes of freed buffers that are kept for their next use. Default 256 MiB. */
  budgetBytes?: number;
  /**
   * Sums across a workgroup by subgroup operations. `"auto"` (default): where the adapter has them with at least 8 lanes.
   * `true` refuses an adapter that has none.
   */
  subgroups?: boolean | "auto";
  /**
   * Weights that a checkpoint stores in float16 or bfloat16 stay in 16 bits, half the memory, and `linear` reads them in
   * place, as attention reads keys and values of these types. Needs no feature of the adapter; sums are in float32 either way. Default true.
   */
  float16?: boolean;
};

/** The options of a device, checked and complete. */
export type CheckedOptions = Required<Omit<WebGpuOptions, "adapter" | "gpu">> & {
  adapter?: GPUAdapter;
  gpu?: GPU;
};

/** Options that say which adapter is opened, and how much of its memory is kept. */
export type AdapterOptions = Omit<WebGpuOptions, "subgroups" | "float16">;
export type CheckedAdapterOptions = Omit<CheckedOptions, "subgroups" | "float16">;

/** Names of {@link AdapterOptions}. */
export const adapterOptions = ["adapter", "gpu", "powerPreference", "budgetBytes"] as const;

/** Fills in defaults and refuses what no device could be made of. */
export function checkOptions(given: WebGpuOptions | undefined, fn = "webgpu"): CheckedOptions {
  const check = checks(fn);
  const options = check.options(given, [...adapterOptions, "subgroups", "float16"]);
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

/** As {@link checkOptions}, of the options that every device has. */
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
