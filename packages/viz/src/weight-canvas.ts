import { checks } from "@qkv/core";
import { checkMapOptions, type AttentionMapOptions } from "./attention-map.js";
import { checkSelectedWeight } from "./cell-frame.js";
import { checkLabels, type PictureData } from "./check-data.js";
import { maxCells } from "./check-weights.js";
import { maskedText } from "./map-cells.js";
import { maskReader } from "./mask-reader.js";
import { numberText } from "./number-text.js";
import { fileName, saveFile, toolButton } from "./picture-tools.js";
import { weightPixels } from "./weight-pixels.js";

const tableRows = 20; // the largest weights of a query

/** True for a map with too many cells for SVG. */
export const isLarge = (weights: PictureData): boolean => {
  const { shape } = (weights ?? {}) as Partial<PictureData>;
  return Array.isArray(shape) && shape.reduce((all: number, size: number) => all * size, 1) > maxCells;
};

/**
 * Draws one head's weights into a canvas, a pixel for each cell. The pointer and arrow keys read the numbers, a button
 * shows the largest of a query as a table, another saves the pixels.
 *
 * @param weights - `[T, S]`, each 0 or more unless `min` is given. Without a `mask`, a weight of exactly 0 is masked.
 */
export function drawWeightCanvas(
  host: HTMLElement,
  weights: PictureData,
  options: AttentionMapOptions,
): void {
  const check = checks("attentionMap");
  checkMapOptions(options);
  checkLabels(check, { rowLabels: options.rowLabels }, weights.shape[0]!);
  checkLabels(check, { columnLabels: options.columnLabels }, weights.shape[1]!);
  const { max, min, mask, selected, title = "Attention weights" } = options;
  checkSelectedWeight(check, selected, [weights.shape[0]!, weights.shape[1]!]);
  const scale = {
    ...(max !== undefined && { max }),
    ...(min !== undefined && { min }),
    ...(mask && { mask }),
  };
  const masked = maskReader(check, weights, mask);
  const { data, width: S, height: T } = weightPixels(weights, { theme: pageTheme(host), ...scale });

  const canvas = Object.assign(document.createElement("canvas"), { width: S, height: T });
  canvas.getContext("2d")!.putImageData(new ImageData(data, S, T), 0, 0);
  Object.assign(canvas.style, { display: "block", width: "100%" });
  const mark = document.createElement("div");
  Object.assign(mark.style, {
    ...{ position: "absolute", boxSizing: "content-box", margin: "-2px", pointerEvents: "none" },
    ...{ width: `${100 / S}%`, height: `${100 / T}%`, border: "2px solid currentColor" },
  });
  mark.hidden = true;
  const frame = document.createElement("div");
  frame.tabIndex = 0;
  frame.setAttribute("role", "group");
  const keys = `Arrow keys read the numbers${selected ? ", Enter chooses" : ""}.`;
  frame.setAttribute("aria-label", `${title}: ${T} queries, ${S} keys. ${keys}`);
  Object.assign(frame.style, { position: "relative", maxWidth: `${Math.max(S, 512)}px` });
  frame.append(canvas, mark);

  const reading = document.createElement("span");
  reading.setAttribute("aria-live", "polite");
  const table = document.createElement("div");
  table.hidden = true;
  const tools = document.createElement("div");
  tools.dataset["qkvTools"] = "";
  const named = (kind: string, label: string | undefined, i: number) =>
    label === undefined ? `${kind} ${i}` : `${kind} “${label}”`;
  const query = (t: number) => named("query", options.rowLabels?.[t], t);
  const key = (s: number) => named("key", options.columnLabels?.[s], s);
  const cellText = (t: number, s: number) => {
    const weight = weights.data[t * S + s]!;
    return masked(t * S + s) ? maskedText(weight) : numberText(weight);
  };

  let [t, s] = [0, 0];
  const showReading = (row: number, column: number) => {
    [t, s] = [Math.min(T - 1, Math.max(0, row)), Math.min(S - 1, Math.max(0, column))];
    mark.hidden = false;
    Object.assign(mark.style, { left: `${(100 * s) / S}%`, top: `${(100 * t) / T}%` });
    reading.textContent = `${query(t)}, ${key(s)}: ${cellText(t, s)}`;
  };
  const readAt = ({ clientX, clientY }: MouseEvent) => {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    showReading(Math.floor(((clientY - top) / height) * T), Math.floor(((clientX - left) / width) * S));
  };
  frame.addEventListener("pointermove", readAt);
  if (selected) {
    frame.style.cursor = "pointer";
    const choose = () => {
      const about = { bubbles: true, cancelable: true, detail: { row: t, column: s } };
      host.dispatchEvent(new CustomEvent("cellselect", about));
    };
    frame.addEventListener("click", (event) => {
      readAt(event);
      choose();
    });
    frame.addEventListener("keydown", (event) => {
      if ((event.key !== "Enter" && event.key !== " ") || mark.hidden) return;
      event.preventDefault();
      choose();
    });
  }
  frame.addEventListener("keydown", (event) => {
    const offset = { ArrowRight: [0, 1], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowUp: [-1, 0] }[event.key];
    if (!offset) return;
    event.preventDefault();
    if (mark.hidden) showReading(0, 0);
    else showReading(t + offset[0]!, s + offset[1]!);
  });

  if (selected) showReading(selected.row, selected.column ?? selected.row);

  const toTable = toolButton("Table", () => {
    if (table.hidden) {
      const row = Array.from({ length: S }, (_, i) => i).filter((i) => !masked(t * S + i));
      row.sort((a, b) => weights.data[t * S + b]! - weights.data[t * S + a]! || a - b);
      const shown = document.createElement("table");
      shown.createCaption().textContent = `${title}: the largest weights of ${query(t)}`;
      for (const i of row.slice(0, tableRows)) {
        const line = shown.insertRow();
        line.append(Object.assign(document.createElement("th"), { scope: "row", textContent: key(i) }));
        line.insertCell().textContent = cellText(t, i);
      }
      table.replaceChildren(shown);
    }
    table.hidden = !table.hidden;
    toTable.setAttribute("aria-expanded", String(!table.hidden));
  });
  const toFile = toolButton("PNG", () => canvas.toBlob((file) => saveFile(file!, "png", fileName(host))));
  tools.append(reading, " ", toTable, toFile, table);
  // The new map takes over the keyboard focus of the old one.
  const focused = host.contains(document.activeElement);
  host.replaceChildren(frame, tools);
  if (focused) frame.focus();
}

/** The theme: the page's own setting, else the reader's preference, as in the style sheet of pictures. */
function pageTheme(host: HTMLElement): "light" | "dark" {
  const setting = host.closest<HTMLElement>("[data-theme]")?.dataset["theme"];
  if (setting === "light" || setting === "dark") return setting;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}
