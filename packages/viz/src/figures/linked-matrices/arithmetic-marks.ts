import { labelWidth } from "../../picture.js";
import { numberCell } from "../attention-call/cells.js";
import type { Mark } from "../mark.js";
import { wrapText } from "../wrap-text.js";
import type { Arithmetic } from "./arithmetic.js";

const [line, cellHeight] = [18, 24];

/** Height of the arithmetic: name, formula, three rows of numbers, and result. Unit: pixels. */
export const arithmeticHeight = (phone: boolean): number => (phone ? 246 : 178);

/** Marks of the arithmetic of a number, from `top` downwards. `id` makes the keys of its marks unique. */
export function arithmeticMarks(
  id: string,
  arithmetic: Arithmetic,
  width: number,
  top: number,
  phone: boolean,
): Mark[] {
  const { heads, rows } = arithmetic;
  const names = phone ? 0 : Math.max(...rows.map(({ name }) => labelWidth([name]))) + 18;
  const cell = Math.min(84, (width - names) / heads.length);
  const text = (key: string, x: number, y: number, text: string, more: Partial<Mark> = {}): Mark => ({
    key: `bench:${id}:${key}`,
    kind: "text",
    x,
    y,
    text,
    ...more,
  });
  const beside = labelWidth([arithmetic.title]) * 1.35 + 24;
  const marks: Mark[] = [
    text("title", 0, top + 14, arithmetic.title, { size: phone ? 13 : 15, weight: 600 }),
    phone
      ? text("formula", 0, top + 34, arithmetic.formula, { fill: "quiet" })
      : text("formula", beside, top + 14, arithmetic.formula, { fill: "quiet", size: 13 }),
  ];
  let y = top + (phone ? 56 : 42);
  heads.forEach((name, i) => {
    const short =
      name.length * 6.6 > cell ? `${name.slice(0, Math.max(2, Math.floor(cell / 6.6) - 1))}…` : name;
    marks.push(
      text(`head:${i}`, names + (i + 0.5) * cell, y, short, { anchor: "middle", size: 11, fill: "quiet" }),
    );
  });
  y += 6;
  const digits = cell < 34 ? 1 : 2;
  rows.forEach(({ name, values, color, weight = false, home }, r) => {
    if (phone) y += 14;
    marks.push(text(`name:${r}`, 0, phone ? y - 2 : y + 16, name, { size: phone ? 11 : 12 }));
    if (phone) y += 3;
    const scale = Math.max(1e-9, ...values.map((value) => Math.abs(value ?? 0)));
    values.forEach((value, i) => {
      const box = { x: names + i * cell, y, width: cell, height: cellHeight, opacity: 1 };
      const options = { digits, weight, scale: weight ? 1 : scale * 1.2, hatch: value === undefined ? 1 : 0 };
      marks.push({
        ...numberCell(`bench:${id}:${r}:${i}`, box, value ?? 0, color, options),
        home: home?.(i),
        layer: 1,
      });
    });
    y += cellHeight + 2;
  });
  wrapText(arithmetic.result, width / 1.1, 13).forEach((part, i) =>
    marks.push(text(`result:${i}`, 0, y + 18 + i * line, part, { size: 13, weight: i === 0 ? 600 : 400 })),
  );
  return marks;
}
