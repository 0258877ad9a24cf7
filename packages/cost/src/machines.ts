import { defineMachine } from "./machine.js";

// Launching a kernel from a CUDA graph, as serving engines do. An assumption.
const overheadMs = 0.002;

/**
 * Machines with the figures of their manufacturers: dense 16-bit matrix products, memory, links in one direction. The
 * overhead of starting an operation or sending a message is an assumption, rounded. The figures of `browserTab` were
 * measured on one machine with one thread of the `wasm` device; {@link calibrate} gives those of your own.
 *
 * @example
 * ```ts
 * import { machines } from "@qkv/cost";
 *
 * machines.h100.bytesPerSecond / 1e12; // => 3.35
 * Object.keys(machines).join(" "); // => "browserTab t4 l4 a10 a100 h100 h200 b200"
 * ```
 */
export const machines = {
  browserTab: /* @__PURE__ */ defineMachine({
    name: "Browser tab",
    memoryBytes: 4e9,
    bytesPerSecond: 10e9,
    flopsPerSecond: 20e9,
    overheadMs: 0.01,
    source: "measured",
  }),
  t4: /* @__PURE__ */ defineMachine({
    name: "T4",
    memoryBytes: 16e9,
    bytesPerSecond: 320e9,
    flopsPerSecond: 65e12,
    overheadMs,
    source: "https://www.nvidia.com/en-us/data-center/tesla-t4/",
  }),
  l4: /* @__PURE__ */ defineMachine({
    name: "L4",
    memoryBytes: 24e9,
    bytesPerSecond: 300e9,
    flopsPerSecond: 121e12,
    overheadMs,
    source: "https://www.nvidia.com/en-us/data-center/l4/ (half of the figure with sparsity)",
  }),
  a10: /* @__PURE__ */ defineMachine({
    name: "A10",
    memoryBytes: 24e9,
    bytesPerSecond: 600e9,
    flopsPerSecond: 125e12,
    overheadMs,
    source: "https://www.nvidia.com/en-us/data-center/products/a10-gpu/",
  }),
  a100: /* @__PURE__ */ defineMachine({
    name: "A100 80 GB SXM",
    memoryBytes: 80e9,
    bytesPerSecond: 2039e9,
    flopsPerSecond: 312e12,
    overheadMs,
    link: { bytesPerSecond: 300e9, latencyMs: 0.003, machines: 8 },
    source: "https://www.nvidia.com/en-us/data-center/a100/",
  }),
  h100: /* @__PURE__ */ defineMachine({
    name: "H100 SXM",
    memoryBytes: 80e9,
    bytesPerSecond: 3350e9,
    flopsPerSecond: 989e12,
    overheadMs,
    link: { bytesPerSecond: 450e9, latencyMs: 0.003, machines: 8 },
    source: "https://www.nvidia.com/en-us/data-center/h100/ (half of the figure with sparsity)",
  }),
  h200: /* @__PURE__ */ defineMachine({
    name: "H200 SXM",
    memoryBytes: 141e9,
    bytesPerSecond: 4800e9,
    flopsPerSecond: 989e12,
    overheadMs,
    link: { bytesPerSecond: 450e9, latencyMs: 0.003, machines: 8 },
    source: "https://www.nvidia.com/en-us/data-center/h200/ (half of the figure with sparsity)",
  }),
  b200: /* @__PURE__ */ defineMachine({
    name: "B200",
    memoryBytes: 180e9,
    bytesPerSecond: 8000e9,
    flopsPerSecond: 2250e12,
    overheadMs,
    link: { bytesPerSecond: 900e9, latencyMs: 0.003, machines: 8 },
    source:
      "https://www.nvidia.com/en-us/data-center/dgx-b200/ (an eighth of the system; half of the figure with sparsity)",
  }),
} as const;
