import type { Mark } from "../mark.js";
import type { Row } from "./row.js";
import type { Shared } from "./shared.js";

/** Arguments of the marks of an expanded part. */
export type Opened = Shared;

/** The frame of an expanded part. */
export function openedFrame({ key, y, height, opened }: Row, { layout: { box, width } }: Opened): Mark[] {
  return [
    {
      key: "opened/frame",
      kind: "rect",
      x: box.x - 8,
      y: y + height - 2,
      width: width - box.x + 8,
      height: opened - 4,
      radius: 8,
      fill: "rule",
      fillOpacity: 0.28,
      home: `${key}/box`,
    },
  ];
}
