import type { Mark } from "../mark.js";

/** A text of a picture. */
export const letters = (key: string, x: number, y: number, text: string, more: Partial<Mark> = {}): Mark => ({
  key,
  kind: "text",
  x,
  y,
  text,
  layer: 1,
  ...more,
});
