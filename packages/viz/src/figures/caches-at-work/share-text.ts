import { percent } from "../attention-call/model.js";
import { fixed } from "../fixed.js";

/** A fraction of 1 in percent: "12%", "3.4%" below 10%, "< 0.1%". */
export const shareText = (value: number): string =>
  value < 0.001 ? "< 0.1%" : value < 0.1 ? `${fixed(100 * value, 1)}%` : percent(value);
