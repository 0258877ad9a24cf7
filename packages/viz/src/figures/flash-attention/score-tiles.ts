import type { Mark } from "../mark.js";
import type { ThemeName } from "../../palette.js";
import type { FlashLayout } from "./layout.js";
import { blockRange, type FlashAttentionModel, type FlashTile } from "./model.js";
import { rangeText } from "./steps.js";
import type { Walk } from "./walk.js";
import { fixed } from "../fixed.js";

const kindText = {
  full: "full: every pair is visible",
  partial: "partial: the mask hides some pairs",
  empty: "empty: fully masked, skipped",
};

/** The outline of the scores, and the tiles: done ones pale, skipped ones hatched, the current one with its numbers. */
export function scoreTiles(model: FlashAttentionModel, walk: Walk, layout: FlashLayout): Mark[] {
  const { N, cell, left, top } = layout;
  const marks: Mark[] = [
    {
      key: "scores:outline",
      kind: "rect",
      x: left,
      y: top,
      width: N * cell,
      height: N * cell,
      stroke: "quiet",
      dash: true,
    },
  ];
  model.tiles.forEach((tile, i) => {
    const isCurrent = tile === walk.current;
    const isPast = i < walk.done;
    const [queries, keys] = [blockRange(tile.row, model), blockRange(tile.column, model)];
    const place = {
      ...layout.score(queries.start, keys.start),
      width: (keys.end - keys.start) * cell,
      height: (queries.end - queries.start) * cell,
    };
    const key = `tile:${tile.row}:${tile.column}`;
    const skipped = isPast && tile.kind === "empty";
    marks.push({
      key,
      kind: "rect",
      ...place,
      stroke: "rule",
      fill: "weight",
      fillOpacity: isPast && !skipped ? 0.08 : 0,
      hatch: skipped ? 0.9 : 0,
      ariaLabel: `queries ${rangeText(queries)}, keys ${rangeText(keys)}: ${kindText[tile.kind]}`,
      cell: key,
    });
    const word = skipped ? "skipped" : isPast ? tile.kind : "";
    if (word && place.width >= 52 && place.height >= 22)
      marks.push({
        key: `${key}:word`,
        kind: "rect",
        x: place.x + place.width / 2 - 27,
        y: place.y + place.height / 2 - 9,
        width: 54,
        height: 18,
        radius: 3,
        fill: "paper",
        fillOpacity: skipped ? 1 : 0,
        text: word,
        size: 11,
        textFill: "quiet",
        layer: 1,
      });
    if (isCurrent) marks.push(...cells(model, tile, walk, layout), fastMemoryFrame(place, walk));
  });
  return marks;
}

/** A frame around the tile in fast memory. */
const fastMemoryFrame = (
  place: { x: number; y: number; width: number; height: number },
  walk: Walk,
): Mark => ({
  key: "fast",
  kind: "rect",
  ...place,
  radius: 2,
  stroke: "weight",
  strokeWidth: 2.5,
  opacity: Math.max(0.3, walk.load),
  layer: 2,
});

function cells(model: FlashAttentionModel, tile: FlashTile, walk: Walk, layout: FlashLayout): Mark[] {
  const [queries, keys] = [blockRange(tile.row, model), blockRange(tile.column, model)];
  const { N, cell } = layout;
  const marks: Mark[] = [];
  for (let t = queries.start; t < queries.end; t++)
    for (let s = keys.start; s < keys.end; s++) {
      const score = model.scores.data[t * N + s]!;
      const isMasked = score === -Infinity;
      const max = tile.after.max[t - queries.start]!;
      const share = Math.exp(score - max);
      const isMax = score === max && max > tile.before.max[t - queries.start]!;
      const pair = `query ${t + 1}, key ${s + 1}`;
      marks.push({
        key: `score:${t}:${s}`,
        kind: "rect",
        ...layout.score(t, s),
        width: cell,
        height: cell,
        fill: "weight",
        fillOpacity: isMasked ? 0 : walk.score * (0.05 + 0.5 * share),
        hatch: isMasked ? walk.score * 0.9 : 0,
        stroke: isMax && walk.update > 0 ? "text" : "rule",
        ...(isMax && walk.update > 0 && { strokeWidth: 1.5, layer: 1 as const }),
        ...(!isMasked &&
          cell >= 26 &&
          walk.score > 0.5 && { text: fixed(score, cell < 34 ? 1 : 2), size: 11 }),
        ariaLabel: isMasked
          ? `${pair}: masked`
          : `${pair}: score ${fixed(score)}, e^(score − m) ${fixed(share)}`,
        cell: `scores:${t}:${s}`,
      });
    }
  return marks;
}

/** Q left of the scores, K above, V below. Blocks in fast memory are dark. */
export function inputMarks(model: FlashAttentionModel, walk: Walk, layout: FlashLayout): Mark[] {
  const { N, D, cell, small, left, top, under, gap, names, phone } = layout;
  const marks: Mark[] = [];
  const vectors = (
    name: "query" | "key" | "value",
    place: (token: number, d: number) => { x: number; y: number; width: number; height: number },
    block: number | undefined,
  ) => {
    const { data } = model[name];
    const max = Math.max(...Array.from(data, Math.abs));
    for (let token = 0; token < N; token++) {
      const isFast = block !== undefined && Math.floor(token / model.tileSize) === block;
      for (let d = 0; d < D; d++) {
        const value = data[token * D + d]!;
        const strength = 0.15 + (0.8 * Math.abs(value)) / max;
        marks.push({
          key: `${name}:${token}:${d}`,
          kind: "rect",
          ...place(token, d),
          fill: value < 0 ? "cost" : name,
          fillOpacity: strength,
          opacity: isFast ? 0.35 + 0.65 * walk.load : walk.current ? 0.35 : 0.7,
          ariaLabel: `${name} ${token + 1}, number ${d + 1}: ${fixed(value)}`,
          cell: `${name}:${token}:${d}`,
        });
      }
    }
  };
  const { current } = walk;
  vectors(
    "query",
    (t, d) => ({ x: names + d * small, y: top + t * cell + 1, width: small - 1, height: cell - 2 }),
    current?.row,
  );
  vectors(
    "key",
    (s, d) => ({
      x: left + s * cell + 1,
      y: top - gap - (D - d) * small,
      width: cell - 2,
      height: small - 1,
    }),
    current?.column,
  );
  vectors(
    "value",
    (s, d) => ({ x: left + s * cell + 1, y: under + d * small, width: cell - 2, height: small - 1 }),
    current?.column,
  );
  const place = (axis: string, token: number, x: number, y: number, anchor: Mark["anchor"]): Mark => ({
    key: `place:${axis}:${token}`,
    kind: "text",
    x,
    y,
    text: `${token + 1}`,
    anchor,
    size: 11,
    fill: "quiet",
  });
  for (let token = 0; token < N; token++) {
    if (cell < 13) break; // no room for a number
    marks.push(place("query", token, names - 3, top + (token + 0.5) * cell + 4, "end"));
    if (cell >= 20 || token % 2 === 0)
      marks.push(place("key", token, left + (token + 0.5) * cell, top - gap - D * small - 4, "middle"));
  }
  const letter = (text: string, x: number, y: number, fill: ThemeName): Mark => ({
    key: `letter:${text}`,
    kind: "text",
    x,
    y,
    text,
    fill,
    weight: 700,
    size: phone ? 12 : 14,
    anchor: "middle",
  });
  return [
    ...marks,
    letter("Q", phone ? names - 6 : names + (D * small) / 2, top - (phone ? 4 : 8), "query-text"),
    letter("K", left - gap - 8, top - gap - (D * small) / 2 + 5, "key-text"),
    letter("V", left - gap - 8, under + (D * small) / 2 + 5, "value-text"),
  ];
}
