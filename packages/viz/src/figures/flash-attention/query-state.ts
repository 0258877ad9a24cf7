import type { Mark } from "../mark.js";
import type { FlashLayout } from "./layout.js";
import { blockRange, type FlashAttentionModel } from "./model.js";
import type { Walk } from "./walk.js";
import { fixed } from "../fixed.js";

/** The running maximum m, the running sum l and the accumulator o of one query. */
export type QueryState = { max: number; sum: number; accumulator: readonly number[] };

/** State of a query at a moment of the walk over the tiles. Before its first tile the maximum is −∞. */
export function queryState(model: FlashAttentionModel, walk: Walk, query: number): QueryState {
  const row = Math.floor(query / model.tileSize);
  const i = query - row * model.tileSize;
  const rowTiles = model.tiles.filter((tile) => tile.row === row);
  const doneOfRow = rowTiles.filter((tile) => model.tiles.indexOf(tile) < walk.done).at(-1);
  const current = walk.current?.row === row ? walk.current : undefined;
  const currentState = current && (walk.update > 0.5 ? current.after : current.before);
  const shown = currentState ?? doneOfRow?.after ?? rowTiles[0]!.before;
  return { max: shown.max[i]!, sum: shown.sum[i]!, accumulator: shown.accumulator[i]! };
}

/** Running maximum m, running sum l and accumulator o beside each query; at the end o / l. */
export function queryStates(
  model: FlashAttentionModel,
  walk: Walk,
  divided: boolean,
  layout: FlashLayout,
): Mark[] {
  const { N, D, cell, state: left, number: numberWidth, accumulator, accumulatorCell, top, phone } = layout;
  // The accumulator is not divided by the sum yet, so its numbers are larger than those of the output.
  const maxShown = Math.max(...Array.from(model.output.data, Math.abs)) * (divided ? 1 : 2.5);
  const heading = (key: string, x: number, text: string, fill: Mark["fill"] = "text"): Mark => ({
    key: `state:${key}`,
    kind: "text",
    x,
    y: top - 8,
    text,
    anchor: "middle",
    weight: 600,
    fill,
    size: phone ? 11 : 12,
  });
  const outputName = divided
    ? { short: "output", long: "output = o / l" }
    : { short: "o", long: "accumulator o" };
  const marks: Mark[] = [
    heading("m", left + numberWidth / 2, phone ? "m" : "max m"),
    heading("l", left + 1.5 * numberWidth, phone ? "l" : "sum l"),
    heading(
      "o",
      accumulator + (D * accumulatorCell) / 2,
      phone ? outputName.short : outputName.long,
      "value-text",
    ),
  ];
  for (let t = 0; t < N; t++) {
    const { max, sum, accumulator: values } = queryState(model, walk, t);
    const row = Math.floor(t / model.tileSize);
    const isCurrent = walk.current?.row === row;
    const { start } = blockRange(row, model);
    const rescales =
      isCurrent &&
      walk.current!.before.sum[t - start]! > 0 &&
      walk.current!.after.max[t - start]! > walk.current!.before.max[t - start]!;
    const y = top + t * cell;
    const opacity = isCurrent || !walk.current || sum > 0 ? 1 : 0.5;
    const text = (key: string, x: number, value: string, ariaLabel: string): Mark => ({
      key: `${key}:${t}`,
      kind: "text",
      x,
      y: y + cell / 2 + 4,
      text: value,
      anchor: "middle",
      size: phone ? 11 : 12,
      weight: rescales && walk.update > 0 ? 700 : 400,
      opacity: isCurrent ? 1 : 0.75 * opacity,
      ariaLabel,
    });
    if (isCurrent)
      marks.push({
        key: `state:row:${t}`,
        kind: "rect",
        x: left - 2,
        y: y + 1,
        width: 2 * numberWidth,
        height: cell - 2,
        radius: 3,
        fill: "weight",
        fillOpacity: rescales && walk.update > 0 && walk.update < 1 ? 0.28 : 0.08,
      });
    marks.push(
      text(
        "m",
        left + numberWidth / 2,
        max === -Infinity ? "−∞" : fixed(max),
        `running maximum of query ${t + 1}: ${max === -Infinity ? "−∞" : fixed(max)}`,
      ),
      text("l", left + 1.5 * numberWidth, fixed(sum), `running sum of query ${t + 1}: ${fixed(sum)}`),
    );
    for (let d = 0; d < D; d++) {
      const value = divided ? model.output.data[t * D + d]! : values[d]!;
      marks.push({
        key: `o:${t}:${d}`,
        kind: "rect",
        x: accumulator + d * accumulatorCell,
        y: y + 1,
        width: accumulatorCell - 1,
        height: cell - 2,
        fill: value < 0 ? "cost" : "value",
        fillOpacity: sum === 0 ? 0 : Math.min(0.75, 0.06 + (0.6 * Math.abs(value)) / maxShown),
        stroke: "rule",
        ...(accumulatorCell >= 30 && { text: sum === 0 ? "0" : fixed(value), size: 11 }),
        ariaLabel: `${divided ? "output" : "accumulator"} of query ${t + 1}, number ${d + 1}: ${fixed(value)}`,
        cell: `o:${t}:${d}`,
      });
    }
  }
  return marks;
}
