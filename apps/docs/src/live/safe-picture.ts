import { isPicture, pictureStyle } from "@qkv/viz";

/** Allowed elements: those that draw. */
export const elements: ReadonlySet<string> = new Set(
  "svg g rect path line polyline circle text tspan title desc style".split(" "),
);
/**
 * Allowed attributes: those that draw, and those that identify the head, cell or node of a mark and the selected one.
 */
export const attributes: ReadonlySet<string> = new Set(
  (
    "class role width height viewBox x y x1 y1 x2 y2 cx cy r rx ry d points transform text-anchor opacity fill " +
    "fill-opacity stroke stroke-opacity stroke-width stroke-dasharray stroke-linejoin font-size font-weight pointer-events " +
    "data-qkv-head data-qkv-cell data-qkv-node data-qkv-selected"
  ).split(" "),
);

/**
 * Creates the element of a picture from live code, which may come from a stranger's link. Only drawing elements and attributes
 * are kept: no scripts, event handlers or URLs, and no style sheet except the one in every picture.
 *
 * @returns The element, or `undefined` if the text is not a picture.
 */
export function safePicture(svg: string): SVGSVGElement | undefined {
  if (!isPicture(svg)) return undefined;
  // Parsed as XML: an SVG document would update its title for each <title>, of which pictures have thousands.
  const parsed = new DOMParser().parseFromString(svg, "application/xml");
  if (parsed.querySelector("parsererror")) return undefined;
  clean(parsed.documentElement);
  return document.importNode(parsed.documentElement, true) as unknown as SVGSVGElement;
}

function clean(element: Element): void {
  for (const { name, value } of [...element.attributes]) {
    const draws = attributes.has(name) && !/url|\\|:/i.test(value);
    if (!draws && name !== "xmlns") element.removeAttribute(name);
  }
  for (const child of [...element.children]) {
    const foreign = child.namespaceURI !== "http://www.w3.org/2000/svg" || !elements.has(child.localName);
    if (foreign || (child.localName === "style" && child.textContent !== pictureStyle)) child.remove();
    else clean(child);
  }
}
