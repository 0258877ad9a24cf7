import type { Mark } from "../mark.js";
import { sequenceName, type CacheKind, type CacheMoment } from "./model.js";

const [cell, row] = [26, 32];

const perLine = (width: number) => Math.max(1, Math.floor((width - 28) / cell));

/** Height of the table after the last operation. Unit: pixels. */
export function pageTableHeight({ moments }: CacheKind, width: number): number {
  const lines = moments
    .at(-1)!
    .sequences.map((own) => (own ? Math.ceil(own.blocks.length / perLine(width)) : 0));
  return 26 + lines.reduce((sum, count) => sum + (count === 0 ? 0 : row + (count - 1) * cell), 0) + 20;
}

/** The pages of each sequence, in the order of its tokens. A shared page has a thick edge. */
export function pageTable(
  { names }: CacheKind,
  { sequences, regions }: CacheMoment,
  { x, y, width }: { x: number; y: number; width: number },
): Mark[] {
  const inLine = perLine(width);
  const title: Mark = {
    key: "table:title",
    kind: "text",
    x,
    y: y + 13,
    text: "Page table",
    size: 14,
    weight: 600,
  };
  let top = y + 26;
  const marks = sequences.flatMap((own, sequence): Mark[] => {
    if (!own) return [];
    const cells = own.blocks.map((block, i): Mark => {
      const readers = regions.find((region) => region.form === "block" && region.block === block)!.holders;
      return {
        key: `table:${sequence}:${i}`,
        ...(sequence === 1 && { home: `table:0:${i}` }),
        kind: "rect",
        x: x + 28 + (i % inLine) * cell,
        y: top + Math.floor(i / inLine) * cell,
        width: cell - 4,
        height: cell - 4,
        radius: 4,
        stroke: readers.length > 1 ? "text" : "hatch",
        strokeWidth: readers.length > 1 ? 2 : 1,
        text: `${block}`,
        size: 12,
        ariaLabel: `${sequenceName(sequence)}, entry ${i} of its table: ${names.block} ${block}${readers.length > 1 ? ", shared" : ""}`,
        cell: `table:${sequence}:${i}`,
      };
    });
    const name: Mark = {
      key: `table:${sequence}:name`,
      kind: "circle",
      x: x + 10,
      y: top + 11,
      radius: 8.5,
      fill: "text",
      text: sequenceName(sequence),
      textFill: "paper",
      size: 12,
      weight: 700,
    };
    top += row + Math.floor((own.blocks.length - 1) / inLine) * cell;
    return [name, ...cells];
  });
  return [
    title,
    ...marks,
    {
      key: "table:note",
      kind: "text",
      x,
      y: top + 12,
      text: "Thick edge: read by more than one.",
      fill: "quiet",
    },
  ];
}
