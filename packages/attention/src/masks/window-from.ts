import { checks } from "@qkv/core";
import type { Mask } from "@qkv/attention-contract";
import { slidingWindow } from "./sliding-window.js";

/**
 * Converts the `window_size=(left, right)` of FlashAttention, JAX's `local_window_size` and that of ONNX Attention, which count the
 * visible neighbours on each side without the query itself; -1 means all.
 *
 * @param left - Number of visible keys before the query, or -1. Unit: tokens.
 * @param right - Number of visible keys after the query, or -1. Unit: tokens.
 *
 * @example
 * ```ts
 * import { windowFromFlashAttention } from "@qkv/attention";
 *
 * windowFromFlashAttention(255, 0).name; // => "slidingWindow({ before: 255, after: 0 })"
 * ```
 */
export function windowFromFlashAttention(left: number, right: number): Mask {
  const fix = "count neighbours without the query itself; -1 means all.";
  checks("windowFromFlashAttention").whole({ left, right }, { min: -1, unit: "tokens", fix });
  const side = (count: number) => (count === -1 ? Infinity : count);
  return slidingWindow({ before: side(left), after: side(right) });
}

/**
 * Converts the `sliding_window` of a Hugging Face configuration. In causal models (Mistral, Gemma) it counts the query itself; in
 * bidirectional ones it is the number of visible neighbours on each side.
 *
 * @param size - `config.sliding_window`.
 * @param options - `bidirectional`: default false.
 *
 * @example
 * ```ts
 * import { windowFromHuggingFace } from "@qkv/attention";
 *
 * windowFromHuggingFace(4096).name; // => "slidingWindow(4096)"
 * windowFromHuggingFace(64, { bidirectional: true }).name; // => "slidingWindow({ before: 64, after: 64 })"
 * ```
 */
export function windowFromHuggingFace(size: number, options?: { bidirectional?: boolean }): Mask {
  const check = checks("windowFromHuggingFace");
  const { bidirectional = false } = check.options(options, ["bidirectional"]);
  const fix = "take `config.sliding_window`; where it is null the model has no window.";
  check.whole({ size }, { min: 1, unit: "tokens", fix });
  check.type({ bidirectional }, "boolean");
  return slidingWindow(bidirectional ? { before: size, after: size } : size);
}

/**
 * Converts the `sliding_window` of Keras' `GroupedQueryAttention`, which counts the query itself, as `slidingWindow` does.
 *
 * @param size - The layer's `sliding_window`.
 *
 * @example
 * ```ts
 * import { windowFromKeras } from "@qkv/attention";
 *
 * windowFromKeras(8).name; // => "slidingWindow(8)"
 * ```
 */
export function windowFromKeras(size: number): Mask {
  const fix = "take the layer's `sliding_window`; where it is None there is no window.";
  checks("windowFromKeras").whole({ size }, { min: 1, unit: "tokens", fix });
  return slidingWindow(size);
}

/**
 * Converts the window that SGLang passes to its kernels, which does not count the query itself.
 *
 * @param size - One less than the model's own window.
 *
 * @example
 * ```ts
 * import { windowFromSGLang } from "@qkv/attention";
 *
 * windowFromSGLang(4095).name; // => "slidingWindow(4096)"
 * ```
 */
export function windowFromSGLang(size: number): Mask {
  const fix = "pass SGLang's exclusive size, one less than the model's `sliding_window`.";
  checks("windowFromSGLang").whole({ size }, { min: 0, unit: "tokens", fix });
  return slidingWindow(size + 1);
}
