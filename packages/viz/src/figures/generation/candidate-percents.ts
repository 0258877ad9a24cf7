import { percentsThatAddUp } from "../percents.js";
import type { GeneratedToken } from "./model.js";

/** Sum, before it is divided by itself, of what top-p keeps. */
export const keptSum = ({ candidates }: GeneratedToken): number => {
  const firstKept = candidates.find(({ kept }) => kept > 0);
  return firstKept ? firstKept.tempered / firstKept.kept : 1;
};

/** Percent as printed, of the candidates and at last of all others: each list adds up to 100.0%. */
export function percentTexts({ candidates, others }: GeneratedToken) {
  const column = (name: "probability" | "tempered" | "kept") =>
    percentsThatAddUp([...candidates.map((one) => one[name]), others[name]]);
  return { model: column("probability"), tempered: column("tempered"), kept: column("kept") };
}
