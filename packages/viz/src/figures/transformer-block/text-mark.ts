import type { Mark } from "../mark.js";

/** A mark of kind `text`, in front of marks of layer 0. */
export const textMark = (
  key: string,
  x: number,
  y: number,
  text: string,
  more: Partial<Mark> = {},
): Mark => ({
  key,
  kind: "text",
  x,
  y,
  text,
  layer: 1,
  ...more,
});
