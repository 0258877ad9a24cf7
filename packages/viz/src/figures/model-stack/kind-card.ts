import { px } from "../../picture.js";
import { bytesText, countText } from "../bytes-text.js";
import type { Mark } from "../mark.js";
import { wrapText } from "../wrap-text.js";
import type { StackedModel, StackKind, StackMap } from "./model.js";
import { kindShade, layerBytes, tokensSeen } from "./stack-numbers.js";
import { headsText, wiring } from "./wiring.js";

const twoColumnWidth = 500; // pixels
const gap = 20;

/** Marks of one kind of layer: name, mask, heads, and maps of the tiny random model. */
export function kindCard(
  model: StackedModel,
  kind: StackKind,
  tokens: number,
  prefix: string,
  lit: string | undefined,
  { x, y, width }: { x: number; y: number; width: number },
): { marks: Mark[]; height: number } {
  const key = `${prefix}kind:${kind.id}`;
  const roomy = width >= twoColumnWidth;
  const square = width >= 600 ? 116 : 96;
  const numLayers = model.sides.reduce((sum, { layers }) => sum + layers.length, 0);
  const count =
    kind.layers === numLayers ? `All ${numLayers} layers` : `${kind.layers} of ${numLayers} layers`;
  const marks: Mark[] = [
    {
      key: `${key}:swatch`,
      kind: "rect",
      x,
      y: y + 2,
      width: 13,
      height: 13,
      radius: 2,
      fill: "weight",
      fillOpacity: kindShade(kind),
      ...(kind.limit === 0 && { stroke: "weight" }),
    },
    { key: `${key}:name`, kind: "text", x: x + 20, y: y + 13, text: kind.name, size: 15, weight: 600 },
  ];
  let top = y + 20;
  wrapText(`${count}. ${keepsText(kind, tokens)}`, width).forEach((text) => {
    marks.push({ key: `${key}:keeps:${top}`, kind: "text", x, y: top + 12, text, fill: "quiet" });
    top += 16;
  });
  top += 8;
  const caption = (id: string, left: number, at: number, text: string, room: number) => {
    const lines = wrapText(text, room, 11);
    lines.forEach((line, i) =>
      marks.push({
        key: `${key}:${id}:${i}`,
        kind: "text",
        x: left,
        y: at + 14 * (i + 1),
        text: line,
        size: 11,
        fill: "quiet",
      }),
    );
    return 14 * lines.length;
  };

  marks.push(...(kind.mask ? maskMarks(kind, key, x, top, square) : stateMarks(kind, key, x, top, square)));
  const maps = kind.maps.slice(0, 2);
  const mapsWidth = roomy && maps.length > 0 ? maps.length * (square + 8) - 8 + gap : 0;
  const wires = { x: x + square + gap, y: top, width: width - square - gap - mapsWidth, height: square };
  marks.push(...wiring(kind, prefix, wires));
  let below = Math.max(
    caption("mask-text", x, top + square, kind.mask ? "its mask" : "its state", square),
    caption("heads-text", wires.x, top + square, headsText(kind.heads), wires.width),
  );
  if (maps.length > 0) {
    const at = roomy ? { x: x + width - mapsWidth + gap, y: top } : { x, y: top + square + below + 10 };
    maps.forEach((map, i) =>
      marks.push(...mapMarks(map, `${key}:map:${i}`, `head ${i}`, at.x + i * (square + 8), at.y, square)),
    );
    const room = maps.length * (square + 8) - 8;
    const lines = caption("maps-text", at.x, at.y + square, "two heads of a tiny random model", room);
    below = roomy ? Math.max(below, lines) : below + 10 + square + lines;
  }
  return {
    marks: marks.map((mark) =>
      lit === undefined || lit === kind.id ? mark : { ...mark, opacity: 0.3 * (mark.opacity ?? 1) },
    ),
    height: top + square + below - y,
  };
}

function keepsText(kind: StackKind, tokens: number): string {
  if (kind.cross)
    return `Beside their own attention, they see all that the encoder made: ${bytesText(kind.layers * kind.bytesPerToken)} for each of its tokens, kept once.`;
  if (kind.limit === 0) return `Each keeps ${bytesText(kind.stateBytes)}, however long the text.`;
  const seen = countText(tokensSeen(kind, tokens));
  if (kind.bytesPerToken === 0) return `The whole text is there at once: no cache. Each token sees ${seen}.`;
  const each = `${bytesText(kind.bytesPerToken)} a token`;
  const stateText =
    kind.stateBytes > 0 ? `, and a state of ${bytesText(kind.stateBytes)} beside the attention` : "";
  return kind.limit === null
    ? `Each keeps all ${seen} tokens, ${each}${stateText}: ${bytesText(layerBytes(kind, tokens))}.`
    : `Each keeps ${countText(kind.limit)} tokens at most, ${each}${stateText}: ${bytesText(layerBytes(kind, tokens))}.`;
}

function maskMarks(kind: StackKind, key: string, x: number, y: number, side: number): Mark[] {
  const rows = kind.mask!;
  const pitch = side / rows.length;
  const seen = rows.flatMap((row, i) => row.flatMap((sees, j) => (sees ? [[i, j] as const] : [])));
  const box = px(pitch - 1);
  const d = seen.map(([i, j]) => `M${px(j * pitch)} ${px(i * pitch)}h${box}v${box}h${-box}z`).join("");
  const path = { kind: "path", x, y, d } as const;
  return [
    {
      key: `${key}:hidden`,
      kind: "rect",
      x,
      y,
      width: side,
      height: side,
      fill: "rule",
      fillOpacity: 0.25,
      hatch: 0.8,
    },
    { ...path, key: `${key}:ground`, fill: "paper" },
    {
      ...path,
      key: `${key}:mask`,
      fill: "weight",
      fillOpacity: kindShade(kind),
      ariaLabel: `${kind.name}: of ${rows.length} tokens, a query sees ${Math.min(...counts(rows))} to ${Math.max(...counts(rows))}`,
    },
  ];
}

const counts = (rows: readonly (readonly boolean[])[]) => rows.map((row) => row.filter(Boolean).length);

/** A state of fixed size, in place of a mask: written and read by every token. */
function stateMarks({ heads, name }: StackKind, key: string, x: number, y: number, side: number): Mark[] {
  const count = 8;
  const pitch = side / count;
  const box = px(pitch - 1);
  const cells = Array.from(
    { length: count * count },
    (_, at) => [at % count, Math.floor(at / count)] as const,
  );
  return [
    {
      key: `${key}:state`,
      kind: "path",
      x,
      y,
      d: cells.map(([i, j]) => `M${px(i * pitch)} ${px(j * pitch)}h${box}v${box}h${-box}z`).join(""),
      fill: "cost",
      fillOpacity: 0.35,
      ariaLabel: `${name}: ${heads.numKvHeads} states of ${heads.keyDim} × ${heads.valueDim} numbers`,
    },
  ];
}

function mapMarks(map: StackMap, key: string, name: string, x: number, y: number, side: number): Mark[] {
  const pitch = side / map.length;
  const ground = { kind: "rect", x, y, width: side, height: side } as const;
  return [
    { ...ground, key: `${key}:hidden`, fill: "rule", fillOpacity: 0.25, hatch: 0.8 },
    ...map.flatMap((row, i) =>
      row.flatMap((weight, j): Mark[] => {
        if (weight === null) return [];
        const cell = {
          kind: "rect",
          x: x + j * pitch,
          y: y + i * pitch,
          width: pitch - 0.5,
          height: pitch - 0.5,
        } as const;
        return [
          { ...cell, key: `${key}:ground:${i}:${j}`, fill: "paper" },
          {
            ...cell,
            key: `${key}:${i}:${j}`,
            fill: "weight",
            fillOpacity: Math.min(1, 0.04 + weight),
            ariaLabel: `tiny random model, ${name}, token ${i + 1} to token ${j + 1}: ${weight.toFixed(2)}`,
          },
        ];
      }),
    ),
  ];
}
