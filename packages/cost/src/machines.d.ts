/**
 * Machines as their makers describe them: dense 16-bit matrix products, memory, links in one direction. What starting an
 * operation and a message takes is an assumption, rounded. What a browser tab has is measured, on one machine and one
 * thread of the `wasm` device; {@link calibrate} gives the figures of yours.
 *
 * @example
 * ```ts
 * import { machines } from "@qkv/cost";
 *
 * machines.h100.bytesPerSecond / 1e12; // => 3.35
 * Object.keys(machines).join(" "); // => "browserTab t4 l4 a10 a100 h100 h200 b200"
 * ```
 */
export declare const machines: {
  readonly browserTab: import("./machine.js").Machine;
  readonly t4: import("./machine.js").Machine;
  readonly l4: import("./machine.js").Machine;
  readonly a10: import("./machine.js").Machine;
  readonly a100: import("./machine.js").Machine;
  readonly h100: import("./machine.js").Machine;
  readonly h200: import("./machine.js").Machine;
  readonly b200: import("./machine.js").Machine;
};
