import { percent } from "../attention-call/model.js";
import { fixed } from "../fixed.js";

/** A share in percent, with one digit more where it is small. */
export const shareText = (value: number): string =>
  value < 0.001 ? "< 0.1%" : value < 0.1 ? `${fixed(100 * value, 1)}%` : percent(value);
