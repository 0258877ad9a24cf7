import type { Mark, Scene } from "./mark.js";
import { markNodes, type MarkNode } from "./mark-nodes.js";

const namespace = "http://www.w3.org/2000/svg";

/** An SVG element on the page, and its current attributes. */
type Drawn = { element: SVGElement; attributes: Map<string, string>; text: string };

/** Draws scenes into an SVG element. */
export type SceneView = {
  /** Draws the next scene. Elements with the same key are kept, and only changed attributes are written. */
  draw(scene: Scene): void;
  /** The element of a cell, to give it the focus. */
  cell(address: string): SVGElement | undefined;
};

/**
 * Draws scenes into an SVG element of the page, and updates only what changed.
 *
 * @param svg - An empty element. A mark with `ariaLabel` becomes an image with that `aria-label`; a mark with `cell` gets the
 *   attribute `data-cell`.
 */
export function sceneView(svg: SVGSVGElement): SceneView {
  const layers = [0, 1, 2].map(() => svg.appendChild(document.createElementNS(namespace, "g")));
  const nodes = new Map<string, Drawn>();
  const cells = new Map<string, SVGElement>();
  let size = "";

  function draw({ width, height, marks }: Scene): void {
    const box = `0 0 ${Math.ceil(width)} ${Math.ceil(height)}`;
    if (box !== size) svg.setAttribute("viewBox", (size = box));
    const wanted = layers.map(() => [] as Drawn[]);
    const keys = new Set<string>();
    cells.clear();
    for (const mark of marks) {
      markNodes(mark).forEach((node, i) => {
        keys.add(node.key);
        const drawn = update(node, i === 0 ? mark : undefined);
        wanted[mark.layer ?? 0]!.push(drawn);
        if (i === 0 && mark.cell !== undefined && !cells.has(mark.cell)) cells.set(mark.cell, drawn.element);
      });
    }
    for (const [key, { element }] of nodes) {
      if (keys.has(key)) continue;
      element.remove();
      nodes.delete(key);
    }
    layers.forEach((layer, i) => arrange(layer, wanted[i]!));
  }

  function update({ key, tag, attributes, text = "" }: MarkNode, mark: Mark | undefined): Drawn {
    let drawn = nodes.get(key);
    if (drawn?.element.tagName !== tag) {
      drawn?.element.remove();
      drawn = { element: document.createElementNS(namespace, tag), attributes: new Map(), text: "" };
      nodes.set(key, drawn);
    }
    const allAttributes = mark ? { ...attributes, ...ariaAttributes(mark) } : attributes;
    for (const [name, value] of Object.entries(allAttributes)) {
      const written = String(value);
      if (drawn.attributes.get(name) === written) continue;
      drawn.attributes.set(name, written);
      drawn.element.setAttribute(name, written);
    }
    for (const name of drawn.attributes.keys()) {
      if (name in allAttributes) continue;
      drawn.attributes.delete(name);
      drawn.element.removeAttribute(name);
    }
    if (drawn.text !== text) drawn.element.textContent = drawn.text = text;
    return drawn;
  }

  return { draw, cell: (address) => cells.get(address) };
}

/** Attributes for the pointer, the keyboard and screen readers. */
function ariaAttributes({ ariaLabel, cell, opacity = 1 }: Mark): Record<string, string> {
  if (ariaLabel === undefined && cell === undefined) return {};
  // Invisible marks are hidden from screen readers.
  if (opacity < 0.05) return { "aria-hidden": "true" };
  return {
    ...(ariaLabel !== undefined && { role: "img", "aria-label": ariaLabel }),
    ...(cell !== undefined && { "data-cell": cell, tabindex: "-1" }),
  };
}

/** Reorders the elements of a layer. Elements in place are not moved, as a moved element loses the focus. */
function arrange(layer: SVGElement, wanted: readonly Drawn[]): void {
  let at = layer.firstChild;
  for (const { element } of wanted) {
    if (element === at) at = at.nextSibling;
    else layer.insertBefore(element, at);
  }
}
