/**
 * Returns a `ref` that sets properties of an element, for React 18, which passes objects to custom elements as strings. React 19 sets
 * properties itself.
 *
 * @param values - Properties by name, such as `args` of the elements of `@qkv/viz`.
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
