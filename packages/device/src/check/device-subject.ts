import { checks } from "@qkv/core";
import { matmul, tensor, type Device, type Tensor } from "@qkv/tensor";
import type { Subject } from "./subject.js";

/**
 * Makes a subject of the check from a qkv device.
 *
 * @param attend - Computes attention of query `[1, H, T, D]`, key and value `[1, H, S, D]`, as `attention` of
 *   `@qkv/attention` does. The mask is undefined, `"causal"`, or a bool tensor `[1, 1, T, S]`.
 *
 * @example
 * ```ts
 * import { deviceSubject } from "@qkv/device/check";
 * import { js, matmul, softmax, transpose } from "@qkv/tensor";
 *
 * // It neither scales nor masks, which the check finds.
 * const subject = deviceSubject("unscaled", js(), (query, key, value) =>
 *   matmul(softmax(matmul(query, transpose(key))), value),
 * );
 * subject.name; // => "unscaled"
 * ```
 */
export function deviceSubject(
  name: string,
  device: Device,
  attend: (query: Tensor, key: Tensor, value: Tensor, mask?: "causal" | Tensor) => Tensor,
): Subject {
  const check = checks("deviceSubject");
  check.type({ name }, "string");
  check.type({ attend }, "function", "pass `attention` of @qkv/attention, with its masks.");
  check.each(
    { device },
    (device) => typeof (device as Partial<Device> | undefined)?.scope === "function",
    "a device",
    "pass `js()`, or what `await webgpu()` or `await wasm()` return.",
  );
  return {
    name,
    matmul: async ({ M, K, N, a, b }) =>
      device
        .scope(() => matmul(tensor(a, { shape: [M, K], device }), tensor(b, { shape: [K, N], device })))
        .read(),
    attention: async ({ H, T, S, D, query, key, value, mask }) =>
      device
        .scope(() => {
          const [q, k, v] = [
            tensor(query, { shape: [1, H, T, D], device }),
            tensor(key, { shape: [1, H, S, D], device }),
            tensor(value, { shape: [1, H, S, D], device }),
          ];
          if (mask === undefined || mask === "causal") return attend(q!, k!, v!, mask);
          return attend(q!, k!, v!, tensor(mask, { shape: [1, 1, T, S], dtype: "bool" }));
        })
        .read(),
  };
}
