import { checks } from "@qkv/core";

/**
 * Highlights the row and the column of a cell of a picture on the page, with their labels, and returns the text of the cell:
 * its name, its value, and its formula if the picture has one. A mark outside of a grid highlights nothing.
 *
 * @param mark - An element of the picture with a `<title>`.
 * @returns The text, such as `query “cat”, key “the”: 0.25 ≈ e^(1 − 2.1) / 1.33, the softmax of its row`.
 * @throws {ArgumentError} If `mark` is not an element.
 *
 * @example
 * ```ts
 * import { lightCell } from "@qkv/viz/elements";
 *
 * if (typeof document !== "undefined") {
 *   const title = document.querySelector(".qkv-picture rect > title");
 *   if (title) lightCell(title.parentElement!); // such as "query “the”, key “the”: 1"
 * }
 * ```
 */
export function lightCell(mark: Element): string {
  checks("lightCell").each(
    { mark },
    isElement,
    "an element of a picture",
    "pass the parent of its `<title>`.",
  );
  const picture = mark.closest("svg");
  if (picture) {
    clearLight(picture);
    lightGrid(picture, mark);
  }
  const texts = [...mark.children].filter(({ localName }) => localName === "title" || localName === "desc");
  return texts.map(({ textContent }) => textContent).join(" ≈ ");
}

/**
 * Removes the highlight of {@link lightCell}.
 *
 * @throws {ArgumentError} If `picture` is not an element.
 */
export function clearLight(picture: Element): void {
  checks("clearLight").each({ picture }, isElement, "an element that holds a picture", "pass its `<svg>`.");
  for (const lit of picture.querySelectorAll<SVGElement>("[data-qkv-lit]")) {
    if (lit.localName === "rect") lit.remove();
    else {
      lit.style.removeProperty("font-weight");
      lit.removeAttribute("data-qkv-lit");
    }
  }
}

const isElement = (given: unknown): boolean =>
  typeof (given as Partial<Element> | null | undefined)?.closest === "function";

// The row: cells of one height, with its label before them. The column: cells of one width, with its label above.
const lines = [
  { same: "y", size: "height", start: "top", end: "bottom", edge: "left", near: "right", color: "query" },
  { same: "x", size: "width", start: "left", end: "right", edge: "top", near: "bottom", color: "key" },
] as const;

function lightGrid(picture: Element, mark: Element): void {
  const isCell = (one: Element) => one.localName === "rect" && one.firstElementChild?.localName === "title";
  const number = (one: Element, name: string) => Number(one.getAttribute(name));
  const cells = [...mark.parentElement!.children].filter(isCell);
  const along = lines.map(({ same, size }) =>
    cells.filter((cell) => [same, size].every((name) => number(cell, name) === number(mark, name))),
  );
  if (!isCell(mark) || along.some(({ length }) => length < 2)) return;

  const texts = [...picture.querySelectorAll<SVGElement>("text")];
  const [grid, cell] = [cells[0]!, mark].map((one) => one.getBoundingClientRect()) as [DOMRect, DOMRect];
  lines.forEach(({ start, end, edge, near, color }, i) => {
    const place = (text: Element) => text.getBoundingClientRect();
    const labels = texts.filter((text) => {
      const box = place(text);
      const middle = (box[start] + box[end]) / 2;
      return box[near] <= grid[edge] + 0.5 && middle >= cell[start] && middle <= cell[end];
    });
    const [label] = labels.sort((a, b) => place(b)[near] - place(a)[near]); // the nearest
    label?.style.setProperty("font-weight", "700");
    label?.setAttribute("data-qkv-lit", "");

    const [first, last] = [along[i]![0]!, along[i]!.at(-1)!];
    const outline = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    for (const [from, size] of [
      ["x", "width"],
      ["y", "height"],
    ] as const) {
      outline.setAttribute(from, String(number(first, from)));
      outline.setAttribute(size, String(number(last, from) + number(last, size) - number(first, from)));
    }
    // Dashed, because a solid frame marks the selected cell.
    outline.style.cssText = `fill:none;stroke:var(--qkv-${color});stroke-width:1;stroke-dasharray:4 3;pointer-events:none`;
    outline.setAttribute("data-qkv-lit", "");
    mark.parentElement!.append(outline);
  });
}
