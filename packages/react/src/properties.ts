/**
 * Sets properties of an element, as a `ref`: for React 18, which passes objects to custom elements as text. React 19 sets properties by
 * itself, and needs no helper.
 *
 * @param values - Properties by their names, such as `args` of the pictures of `@qkv/viz`.
 *
 * @example
 * ```ts
 * import { createElement } from "react";
 * import { properties } from "@qkv/react";
 *
 * const weights = { data: [1, 0, 0.25, 0.75], shape: [2, 2] };
 * const element = createElement("qkv-attention-map", { ref: properties({ args: [weights] }) });
 * element.type; // => "qkv-attention-map"
 * ```
 */
export function properties<Element extends object>(
  values: Partial<NoInfer<Element>>,
): (element: Element | null) => void {
  return (element) => {
    if (element) Object.assign(element, values);
  };
}
