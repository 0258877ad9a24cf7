import { easeCubicInOut } from "d3-ease";
import { px } from "../../picture.js";
import type { Mark } from "../mark.js";
import { bytesText, countText } from "../bytes-text.js";
import type { CacheGrowth } from "./cache-growth.js";
import type { HeadsAndKeysModel, HeadsKind, HeadsPart } from "./model.js";

/** Place and measures of a panel. */
export type PanelPlace = { x: number; y: number; width: number; wires: number; row: number };

/** Highlighted query heads and KV heads. */
export type Lit = { queries: ReadonlySet<number>; kvHeads: ReadonlySet<number> } | undefined;

/** Index of the KV head of a query head: consecutive query heads share one. */
export const kvHeadIndex = (query: number, numHeads: number, numKvHeads: number): number =>
  Math.floor((query * numKvHeads) / numHeads);

/** Colors of a vector, from top to bottom. A latent has both, as keys and values are computed from it. */
const fills: Readonly<Record<HeadsPart["name"], readonly ("key" | "value")[]>> = {
  key: ["key"],
  value: ["value"],
  latent: ["key", "value"],
  "rotary key": ["key"],
};
const letters: Readonly<Record<HeadsPart["name"], string>> = {
  key: "K",
  value: "V",
  latent: "K and V",
  "rotary key": "K",
};

/** Height of the KV heads between the wires and the cache. */
const kvHeight = 20;

/** Height of a panel with `rows` rows of cache. Unit: pixels. */
export const panelHeight = ({ wires, row }: Pick<PanelPlace, "wires" | "row">, rows: number): number =>
  24 + wires + kvHeight + 12 + rows * row;

/**
 * Marks of one kind: query heads, lines to their KV heads, and under each KV head the columns of its keys and values. A head
 * vector has one width in all panels, so that areas are in proportion to bytes.
 */
export function panel(
  model: HeadsAndKeysModel,
  kind: HeadsKind,
  growth: CacheGrowth,
  lit: Lit,
  place: PanelPlace,
): Mark[] {
  const { numHeads } = model;
  const { id, numKvHeads, name } = kind;
  const { x, y, width, row } = place;
  const pitch = width / numHeads;
  const gap = pitch > 24 ? 3 : pitch > 9 ? 1 : pitch > 4 ? 0.5 : 0.2;
  const vector = pitch / 2; // width of headDim numbers
  const radius = Math.min(12, (pitch - gap) / 2);
  const queryY = y + 12;
  const kvY = y + 24 + place.wires;
  const cacheY = kvY + kvHeight + 12;
  const queryX = (query: number) => x + (query + 0.5) * pitch;
  const share = kind.bytesPerToken / Math.max(...model.kinds.map(({ bytesPerToken }) => bytesPerToken));
  const rises = growth.read === undefined ? undefined : resultProgress(growth.read, share);
  const queries = Array.from({ length: numHeads }, (_, query) => query);
  const groups = Array.from({ length: numKvHeads }, (_, group) => {
    const readers = queries.filter((query) => kvHeadIndex(query, numHeads, numKvHeads) === group);
    const center = (queryX(readers[0]!) + queryX(readers.at(-1)!)) / 2;
    const widths = kind.parts.map(({ size }) => (size / model.headDim) * vector);
    let left = center - widths.reduce((a, b) => a + b, 0) / 2;
    const boxes = kind.parts.map((part, i) => {
      const box = { ...part, x: left + gap / 2, width: Math.max(0.8, widths[i]! - gap) };
      left += widths[i]!;
      return box;
    });
    return { group, readers, center, boxes };
  });
  type Group = (typeof groups)[number];
  const dimQuery = (query: number) => (!lit || lit.queries.has(query) ? 1 : 0.25);
  const dimGroup = (group: number) => (!lit || lit.kvHeads.has(group) ? 1 : 0.25);
  const marks: Mark[] = [];

  for (const { readers, center } of groups) {
    for (const query of readers) {
      const top = queryY + radius;
      const middle = (top + kvY) / 2;
      const [from, to] = [px(queryX(query)), px(center)];
      marks.push({
        key: `${id}:wire:${query}`,
        kind: "path",
        x: 0,
        y: 0,
        d: `M${from} ${px(top)}C${from} ${px(middle)} ${to} ${px(middle)} ${to} ${px(kvY)}`,
        stroke: "query",
        strokeWidth: lit?.queries.has(query) ? 2.5 : pitch > 14 ? 1.5 : 1,
        opacity: lit ? dimQuery(query) : rises ? 0.9 : 0.6,
      });
      if (rises && rises > 0 && rises < 1) {
        marks.push({
          key: `${id}:pulse:${query}`,
          kind: "circle",
          ...curvePoint(queryX(query), top, center, kvY, 1 - easeCubicInOut(rises)),
          radius: Math.min(3.5, Math.max(1.5, pitch / 6)),
          fill: "query",
          opacity: dimQuery(query),
          layer: 2,
        });
      }
    }
  }

  for (const query of queries) {
    const group = kvHeadIndex(query, numHeads, numKvHeads);
    const others = groups[group]!.readers.filter((other) => other !== query);
    marks.push({
      key: `${id}:query:${query}`,
      kind: "circle",
      x: queryX(query),
      y: queryY,
      radius,
      fill: "query",
      opacity: dimQuery(query),
      ...(radius >= 8 && { text: String(query), textFill: "paper", size: 11, weight: 600 }),
      ...(lit?.queries.has(query) && { stroke: "text", strokeWidth: 1.5 }),
      layer: 1,
      ariaLabel: `${name}, query head ${query}: KV head ${group}, ${sharedWith(others)}`,
      cell: `${id}:0:${query}`,
    });
  }

  for (const { group, readers, boxes } of groups) {
    const bytes = (growth.tokens * kind.bytesPerToken) / numKvHeads;
    const readersText = readers.length === 1 ? `query head ${readers[0]}` : `${readers.length} query heads`;
    for (const { name: part, x, width } of boxes) {
      const cacheName = part === "latent" || part === "rotary key" ? `the ${part}` : `KV head ${group}`;
      const colors = fills[part];
      const inner = kvHeight / colors.length;
      colors.forEach((fill, i) => {
        marks.push({
          key: `${id}:${sideKey(part, fill)}:${group}`,
          kind: "rect",
          x,
          y: kvY + i * inner,
          width,
          height: inner,
          radius: colors.length > 1 ? 0 : Math.min(3, width / 3),
          fill,
          opacity: dimGroup(group),
          ...(colors.length === 1 &&
            width >= 11 && { text: letters[part], textFill: "paper", size: 11, weight: 600 }),
          layer: 1,
          ariaLabel: `${name}, ${cacheName}, read by ${readersText}: ${bytesText(bytes)} in all layers`,
          cell: `${id}:1:${group}`,
        });
      });
      if (colors.length > 1 && width >= 54)
        marks.push({
          key: `${id}:${part}:letters`,
          kind: "text",
          x: x + width / 2,
          y: kvY + 14,
          text: letters[part],
          anchor: "middle",
          size: 11,
          weight: 600,
          fill: "paper",
          layer: 2,
        });
    }
  }

  // The highlight of reading moves over the rows, at the same bytes per second in every panel.
  const done = growth.read === undefined ? 0 : Math.min(1, growth.read / (readsUntil * share));
  const height = row * growth.rowScale;
  const rowMarks = (index: number, top: number, key: string, moves: boolean): Mark[] => {
    const isRead = done > 0 && index < done * growth.rows;
    const reading = done > 0 && done < 1;
    const sides = kind.parts.flatMap(({ name }, i) =>
      fills[name].map((fill, from, { length }) => ({ side: sideKey(name, fill), fill, i, from, length })),
    );
    const inner = Math.max(1, height - (height > 4 ? 1.5 : 0.7));
    return sides.flatMap(({ side, fill, i, from, length }) => {
      const y = top + (from * inner) / length;
      const base = { kind: "path", x: 0, y, fill, ...(moves && { layer: 2 as const }) } as const;
      const cells = (some: readonly Group[]) => some.map((g) => cell(g.boxes[i]!, inner / length)).join("");
      const opacity = reading && !isRead ? 0.45 : 1;
      if (!lit || moves) return [{ ...base, key: `${id}:${key}:${side}`, d: cells(groups), opacity }];
      const [on, off] = [true, false].map((is) =>
        groups.filter(({ group }) => lit.kvHeads.has(group) === is),
      );
      return [
        { ...base, key: `${id}:${key}:${side}`, d: cells(on!), opacity },
        { ...base, key: `${id}:${key}:${side}:other`, d: cells(off!), opacity: 0.25 },
      ];
    });
  };
  const used = growth.rows * height;
  if (share < 1 && used > 0) {
    marks.push({
      key: `${id}:saved`,
      kind: "rect",
      x,
      y: cacheY,
      width,
      height: used,
      radius: 3,
      fill: "rule",
      fillOpacity: 0.4,
      ariaLabel: `${name}, share of MHA's cache: ${percentText(share)}`,
    });
  }
  for (let index = 0; index < growth.rows; index++)
    marks.push(...rowMarks(index, cacheY + index * height, `row:${index}`, false));
  if (growth.drop !== undefined) {
    const target = cacheY + growth.rows * height;
    const from = kvY + kvHeight / 2;
    marks.push(...rowMarks(growth.rows, from + growth.drop * (target - from), "new", true));
  }
  return marks;
}

/** Part of a mark key: the name of a vector, and the color if it has two. */
const sideKey = (part: HeadsPart["name"], fill: "key" | "value"): string =>
  fills[part].length > 1 ? `${part}-${fill}` : part;

/** Fraction of the reading time in which the largest cache is read. In the rest, the result moves to the query heads. */
const readsUntil = 0.75;

function resultProgress(read: number, share: number): number {
  return Math.min(1, Math.max(0, (read - readsUntil * share) / (1 - readsUntil)));
}

function cell({ x, width }: { x: number; width: number }, height: number): string {
  return `M${px(x)} 0h${px(width)}v${px(height)}h${px(-width)}z`;
}

/** The point at `t`, from 0 to 1, of the curve between a query head and its KV head. */
function curvePoint(x1: number, y1: number, x2: number, y2: number, t: number): { x: number; y: number } {
  const s = 1 - t;
  const middle = (y1 + y2) / 2;
  const [a, b, c, d] = [s ** 3, 3 * s * s * t, 3 * s * t * t, t ** 3];
  return { x: (a + b) * x1 + (c + d) * x2, y: a * y1 + (b + c) * middle + d * y2 };
}

function sharedWith(others: readonly number[]): string {
  if (others.length === 0) return "its own";
  if (others.length > 5) return `shared with ${countText(others.length)} other heads`;
  const list = others.length === 1 ? others[0] : `${others.slice(0, -1).join(", ")} and ${others.at(-1)}`;
  return `shared with ${others.length === 1 ? "head" : "heads"} ${list}`;
}

/** A fraction as a percentage with at least two significant digits: "3.1%". */
export const percentText = (part: number): string =>
  `${Number((100 * part).toPrecision(part < 0.1 ? 2 : 3))}%`;
