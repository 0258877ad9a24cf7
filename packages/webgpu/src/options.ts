import { checks } from "@qkv/core";

export type WebGpuOptions = {
  /** An adapter of the program's own. Default: the one that `gpu` gives. */
  adapter?: GPUAdapter;
  /** The object that gives adapters. Default: `navigator.gpu`; in Node without one the npm package `webgpu`. */
  gpu?: GPU;
  /** Kind of adapter where a machine has several. Default `high-performance`. */
  powerPreference?: GPUPowerPreference;
  /** Bytes of freed buffers that are kept for their next use. Default 256 MiB. */
  budgetBytes?: number;
};

/** The options of a device, checked and complete. */
export type CheckedOptions = Required<Omit<WebGpuOptions, "adapter" | "gpu">> &
  Pick<WebGpuOptions, "adapter" | "gpu">;

/** Fills in defaults and refuses what no device could be made of. */
export function checkOptions(given: WebGpuOptions | undefined): CheckedOptions {
  const check = checks("webgpu");
  const names = ["adapter", "gpu", "powerPreference", "budgetBytes"] as const;
  const options = check.options(given, names);
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
  return { powerPreference, budgetBytes, ...(adapter && { adapter }), ...(gpu && { gpu }) };
}
