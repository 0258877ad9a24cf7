import type { Mark } from "../mark.js";
import { textMark } from "./text-mark.js";
import type { Row } from "./row.js";
import type { Opened } from "./opened.js";
import { activeUnits, range, vector } from "./model.js";
import { unitGrid } from "./opened-height.js";
import { percentileScale } from "./vector-bars.js";
import { fixed } from "../fixed.js";

/** The hidden layer of an MLP, a cell for each unit: up projection, gate and activations. */
export function openedMlp(row: Row, { model, chosen, layout }: Opened): Mark[] {
  const { t, l } = chosen;
  const { inside, phone, box, norm } = layout;
  const { gate, up, hidden } = model.blocks[l]!;
  const F = hidden.shape[1]!;
  const units = F.toLocaleString("en-US");
  const { size, columns, rows } = unitGrid(F, inside.width);
  const marks: Mark[] = [];
  let y = row.y + row.height + 20;
  const act = model.activation;
  const grids = [
    ...(gate ? [{ key: "gate", values: vector(gate, t), text: "gate", more: `before ${act}` }] : []),
    { key: "up", values: vector(up, t), text: "up", more: gate ? "" : `before ${act}` },
    {
      key: "hidden",
      values: vector(hidden, t),
      text: "hidden",
      more: gate ? `${act}(gate) × up` : `${act}(up)`,
    },
  ];
  for (const { key, values, text, more } of grids) {
    const scale = percentileScale([values]);
    const home = `${row.key}/box`;
    if (phone)
      marks.push(
        textMark(`mlp/${key}/name`, inside.x, y - 5, `${text}${more ? `: ${more}` : ""}, ${units} units`, {
          size: 11,
        }),
      );
    else {
      marks.push(textMark(`mlp/${key}/name`, box.x + 6, y + 12, `${text}, ${units} units`, { weight: 600 }));
      if (more) marks.push(textMark(`mlp/${key}/more`, box.x + 6, y + 29, more, { size: 11, fill: "quiet" }));
    }
    values.forEach((value, i) => {
      const share = Math.min(1, Math.abs(value) / scale);
      marks.push({
        key: `unit:${key}:${i}`,
        kind: "rect",
        x: inside.x + (i % columns) * size,
        y: y + Math.floor(i / columns) * size,
        width: size - 0.6,
        height: size - 0.6,
        fill: value < 0 ? "hatch" : "text",
        fillOpacity: 0.06 + 0.9 * share,
        home,
        ...(F <= 800 && { ariaLabel: `${text} of unit ${i}: ${fixed(value, 3)}`, cell: `unit:${key}:${i}` }),
      });
    });
    y += rows * size + 26;
  }
  const values = vector(hidden, t);
  const strongest = range(F)
    .sort((a, b) => Math.abs(values[b]!) - Math.abs(values[a]!))
    .slice(0, phone ? 3 : 5);
  const lines = [
    `${activeUnits(values)} of ${units} units are more than`,
    `half as active as the strongest:`,
    ...(phone
      ? [strongest.map((i) => `unit ${i}: ${fixed(values[i]!)}`).join(" · ")]
      : strongest.map((i) => `unit ${i}: ${fixed(values[i]!)}`)),
  ];
  lines.forEach((text, i) =>
    marks.push(
      textMark(
        `mlp/line:${i}`,
        phone ? inside.x : norm.x - 4,
        phone ? y + 2 + 16 * i : row.y + row.height + 32 + 17 * i,
        text,
        { size: phone ? 11 : 12, fill: i < 2 ? "quiet" : "text" },
      ),
    ),
  );
  return marks;
}
