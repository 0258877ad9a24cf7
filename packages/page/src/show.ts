import { isPicture } from "@qkv/viz";
import { currentHost } from "./host.js";
import { valueText } from "./value-text.js";

/**
 * Shows a value below the code: SVG text of `@qkv/viz` as a picture, a tensor with its shape, anything else as text.
 *
 * @example
 * ```ts
 * import { show } from "@qkv/page";
 * import { bars } from "@qkv/viz";
 *
 * show(bars({ data: [8, 2], shape: [2] }, { labels: ["MHA", "GQA"] }));
 * show([1, 2, 3]);
 * ```
 */
export function show(value: unknown): void {
  if (isPicture(value)) currentHost()?.post({ type: "picture", svg: value });
  else currentHost()?.post({ type: "text", text: valueText(value), level: "log" });
}
