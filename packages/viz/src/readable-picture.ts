import type { SelectedCell, SelectedWeight } from "./cell-frame.js";
import type { SelectedHead } from "./head-grid.js";
import { clearLight, lightCell } from "./lit-cell.js";
import { fileName, saveFile, toolButton } from "./picture-tools.js";
import { tableOf } from "./table-of.js";

/**
 * Makes a picture in an element readable: arrow keys and the pointer read its numbers out and light the row and the column
 * of a cell, a button shows all numbers as a table, two more save it. A head of a grid, or a cell of a view that has them, can be
 * chosen, by a click or by Enter or the space bar: it gets the frame of the selected one, and the element sends `headselect` or
 * `cellselect`.
 *
 * @param host - An element that holds one picture.
 */
export function makeReadable(host: HTMLElement): void {
  const svg = host.querySelector<SVGSVGElement>("svg.qkv-picture");
  if (!svg) return;
  const choice = choices.find(({ attribute }) => svg.querySelector(`[${attribute}]`) !== null);
  host.querySelectorAll("[data-qkv-tools]").forEach((element) => element.remove());
  const text = svg.outerHTML;
  const frame = document.createElement("div");
  frame.tabIndex = 0;
  frame.setAttribute("role", "group");
  frame.setAttribute(
    "aria-label",
    `${tableOf(text).title}. Arrow keys read its numbers${choice ? ", Enter chooses" : ""}.`,
  );
  frame.style.overflowX = "auto";
  svg.replaceWith(frame);
  frame.append(svg);

  const tools = document.createElement("div");
  tools.dataset["qkvTools"] = "";
  const reading = document.createElement("span");
  reading.setAttribute("aria-live", "polite");
  const table = document.createElement("div");
  table.hidden = true;
  const toTable = toolButton("Table", () => {
    if (table.hidden) table.replaceChildren(tableFrom(text));
    table.hidden = !table.hidden;
    toTable.setAttribute("aria-expanded", String(!table.hidden));
  });
  tools.append(
    reading,
    " ",
    toTable,
    toolButton("SVG", () => saveFile(svgFile(svg), "svg", fileName(host))),
    toolButton("PNG", () => void pngFile(svg).then((file) => saveFile(file, "png", fileName(host)))),
    table,
  );
  host.append(tools);

  const marks = [...svg.querySelectorAll("svg * > title")];
  let current = marks.findIndex(({ parentElement }) => isSelected(svg, parentElement!));
  const showReading = (at: number) => {
    const title = marks[at];
    if (!title) return;
    const outline = (on: string) => marks[current]?.parentElement?.style.setProperty("outline", on);
    outline("");
    current = at;
    // The current mark has another outline than the selected one.
    outline(choice ? "2px dotted currentColor" : "2px solid currentColor");
    reading.textContent = lightCell(title.parentElement!);
  };
  frame.addEventListener("keydown", (event) => {
    const offset = { ArrowRight: 1, ArrowDown: rowLength(marks), ArrowLeft: -1, ArrowUp: -rowLength(marks) }[
      event.key
    ];
    if (offset === undefined || marks.length === 0) return;
    event.preventDefault();
    showReading(current < 0 ? 0 : current + offset);
  });
  const markIndex = ({ target }: Event) => marks.findIndex((title) => title.parentElement === target);
  frame.addEventListener("pointerover", (event) => showReading(markIndex(event)));
  if (!choice) return;
  for (const mark of svg.querySelectorAll<SVGElement>(`[${choice.attribute}]`))
    mark.style.setProperty("cursor", "pointer");
  const choose = (at: number) => {
    if (at < 0) return;
    showReading(at);
    const mark = marks[at]!.parentElement!;
    const chosen = mark.getAttribute(choice.attribute);
    if (chosen === null) return;
    if (mark.hasAttribute("x")) select(svg, mark); // An arc has no frame.
    const place = chosen.split(",").map(Number) as [number, number];
    const about = { bubbles: true, cancelable: true, detail: choice.detail(place) };
    host.dispatchEvent(new CustomEvent(choice.event, about));
  };
  frame.addEventListener("click", (event) => choose(markIndex(event)));
  frame.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    choose(current);
  });
}

/**
 * The event `headselect` of `<qkv-head-grid>`: a reader clicked a head, or chose it by Enter or the space bar. It bubbles.
 */
export type HeadSelectEvent = CustomEvent<SelectedHead>;

/**
 * The event `cellselect` of `<qkv-logit-lens>` and `<qkv-patching>`: a reader clicked a cell, or chose it by Enter or the space
 * bar. It bubbles.
 */
export type CellSelectEvent = CustomEvent<SelectedCell>;

/**
 * The event `cellselect` of `<qkv-attention-map>` and `<qkv-token-arcs>` that have a `selected` weight: a reader clicked a cell, an
 * arc or a token, or chose it by Enter or the space bar. A token is a query without a key. It bubbles.
 */
export type WeightSelectEvent = CustomEvent<SelectedWeight>;

/** A node of a graph that a reader chose. */
export type SelectedNode = {
  /** The `id` of the node. */
  readonly id: number;
};

/**
 * The event `nodeselect` of `<qkv-attribution-graph>`: a reader clicked a node that has sources, or chose it by Enter or the space bar.
 * It bubbles, and the element then shows or hides the sources, unless a listener calls `preventDefault`.
 */
export type NodeSelectEvent = CustomEvent<SelectedNode>;

/** Attributes of selectable marks, with the event of a selection. */
const choices = [
  {
    attribute: "data-qkv-head",
    event: "headselect",
    detail: ([layer, head]: readonly [number, number]): SelectedHead => ({ layer, head }),
  },
  {
    attribute: "data-qkv-cell",
    event: "cellselect",
    detail: ([row, column]: readonly [number, number?]): SelectedWeight =>
      column === undefined ? { row } : { row, column },
  },
  {
    attribute: "data-qkv-node",
    event: "nodeselect",
    detail: ([id]: readonly [number, number]): SelectedNode => ({ id }),
  },
] as const;
/** The attribute of the frame of the selected mark. */
const selectedAttribute = "data-qkv-selected";
const sides = ["x", "y", "width", "height"] as const;

/** True for the mark inside the frame of the selection. */
function isSelected(svg: Element, mark: Element): boolean {
  const frame = svg.querySelector(`[${selectedAttribute}]`);
  return frame !== null && sides.every((name) => frame.getAttribute(name) === mark.getAttribute(name));
}

/** Moves the selection frame to a mark, or creates it. */
function select(svg: Element, mark: Element): void {
  let frame = svg.querySelector<SVGElement>(`[${selectedAttribute}]`);
  if (!frame) {
    frame = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    frame.setAttribute(selectedAttribute, "");
    frame.style.cssText = "fill:none;stroke:var(--qkv-query);stroke-width:3;pointer-events:none";
    svg.append(frame);
  }
  for (const name of sides) frame.setAttribute(name, mark.getAttribute(name)!);
}

/** Number of marks side by side: those at the same height as the first. */
function rowLength(marks: readonly Element[]): number {
  const top = (title: Element) => title.parentElement?.getAttribute("y");
  const end = marks.findIndex((title) => top(title) !== top(marks[0]!));
  return end > 0 ? end : 1;
}

function tableFrom(svg: string): HTMLTableElement {
  const { title, description, rows } = tableOf(svg);
  const table = document.createElement("table");
  table.createCaption().textContent = `${title}. ${description}`;
  for (const { name, value } of rows) {
    const row = table.insertRow();
    const head = document.createElement("th");
    head.scope = "row";
    head.textContent = name;
    row.append(head);
    row.insertCell().textContent = value;
  }
  return table;
}

/** The picture as an SVG file, in the colors that it has in this page. */
export function svgFile(svg: SVGSVGElement): Blob {
  clearLight(svg);
  const copy = svg.cloneNode(true) as SVGSVGElement;
  const [from, to] = [svg.querySelectorAll("*"), copy.querySelectorAll("*")];
  from.forEach((element, i) => {
    const style = getComputedStyle(element);
    for (const name of ["fill", "stroke"] as const) {
      if (element.hasAttribute(name)) to[i]!.setAttribute(name, style[name]);
    }
  });
  copy.querySelector("style")?.remove();
  copy.setAttribute("font-family", "ui-sans-serif, system-ui, sans-serif");
  copy.setAttribute("font-size", "12");
  return new Blob([new XMLSerializer().serializeToString(copy)], { type: "image/svg+xml" });
}

/** The picture as a PNG file of twice its size. */
export async function pngFile(svg: SVGSVGElement): Promise<Blob> {
  const image = new Image();
  image.src = URL.createObjectURL(svgFile(svg));
  await image.decode();
  const { width, height } = svg.viewBox.baseVal;
  const canvas = Object.assign(document.createElement("canvas"), { width: 2 * width, height: 2 * height });
  canvas.getContext("2d")!.drawImage(image, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(image.src);
  return new Promise((resolve) => canvas.toBlob((blob) => resolve(blob!), "image/png"));
}
