import { numberCell } from "../attention-call/cells.js";
import type { Mark } from "../mark.js";
import type { WrittenStateModel, WrittenToken } from "./model.js";

/** Place of the panel of the state. `cell`: side of a cell. Unit: pixels. */
export type PanelPlace = { x: number; y: number; cell: number };

const rowNames = 84; // pixels: width of the row names

/** Size of the panel, for cells of a side. Unit: pixels. */
export const panelSize = (model: WrittenStateModel, cell: number): { width: number; height: number } => ({
  width: rowNames + cell + 14 + model.channels.length * cell,
  height: 40 + (model.tokens[0]!.key.length + 3) * cell + 62,
});

/**
 * The state `[K, V]` with the key at its left, and below it the value stored for the key, the added vector, and the new value;
 * or, for a token that queries, the query at its left and the output below. They appear in this order as `progress` grows.
 */
export function statePanel(
  { channels }: WrittenStateModel,
  token: WrittenToken,
  progress: number,
  { x, y, cell }: PanelPlace,
): Mark[] {
  const { isQuery, key, value, held, update, output, decayed, state } = token;
  const [K, V] = [key.length, channels.length];
  const left = x + rowNames + cell + 14;
  const top = y + 40;
  const written = isQuery ? 0 : ease(progress, 0.6, 1);
  const marks: Mark[] = [
    name("state:name", left, y + 12, `state, ${K} × ${V} numbers`, { weight: 600, anchor: "start" }),
    name("key:name", x + rowNames + cell / 2, y + 28, isQuery ? "query" : "key", {
      anchor: "middle",
      fill: isQuery ? "query-text" : "key-text",
    }),
    ...channels.map((channel, v) =>
      name(`channel:${v}`, left + (v + 0.5) * cell, y + 30, channel, {
        anchor: "middle",
        fill: "value-text",
      }),
    ),
  ];
  for (let k = 0; k < K; k++) {
    marks.push({
      ...numberCell(
        `key:${k}`,
        { x: x + rowNames, y: top + k * cell, width: cell, height: cell, opacity: 1 },
        key[k]!,
        isQuery ? "query" : "key",
      ),
      ariaLabel: `${isQuery ? "query" : "key"}, number ${k + 1}: ${key[k]!.toFixed(2)}`,
    });
    for (let v = 0; v < V; v++) {
      const [before, after] = [decayed.data[k * V + v]!, state.data[k * V + v]!];
      const now = before + (after - before) * written;
      const lit = Math.abs(key[k]!) > 0 && (isQuery ? progress < 1 : written > 0 && written < 1);
      marks.push({
        ...numberCell(
          `state:${k}:${v}`,
          { x: left + v * cell, y: top + k * cell, width: cell, height: cell, opacity: 1 },
          now,
          "value",
        ),
        ...(lit && { stroke: isQuery ? "query" : "key", strokeWidth: 2 }),
        ariaLabel: `state, row ${k + 1}, ${channels[v]!}: ${now.toFixed(2)}`,
        cell: `state:${k}:${v}`,
      });
    }
  }
  const rows: [id: string, text: string, numbers: readonly number[], from: number][] = isQuery
    ? [["output", "it reads", output, 0.3]]
    : [
        ["value", "new value", value, 0],
        ["held", "held for this key", held, 0.1],
        ["update", "added to the state", update, 0.35],
      ];
  rows.forEach(([id, text, numbers, from], r) => {
    const at = top + K * cell + 18 + r * (cell + 6);
    const opacity = ease(progress, from, from + 0.25);
    marks.push(name(`row:${id}`, left - 10, at + cell / 2 + 4, text, { anchor: "end", opacity }));
    numbers.forEach((number, v) =>
      marks.push({
        ...numberCell(
          `row:${id}:${v}`,
          { x: left + v * cell, y: at, width: cell, height: cell, opacity },
          number,
          "value",
        ),
        ariaLabel: `${text}, ${channels[v]!}: ${number.toFixed(2)}`,
      }),
    );
  });
  return marks;
}

const name = (key: string, x: number, y: number, text: string, more: Partial<Mark>): Mark => ({
  key,
  kind: "text",
  x,
  y,
  text,
  fill: "quiet",
  ...more,
});

/** 0 before `from`, 1 after `to`. */
const ease = (t: number, from: number, to: number) => Math.max(0, Math.min(1, (t - from) / (to - from)));
