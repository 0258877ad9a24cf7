import { percentsThatAddUp } from "../percents.js";
import type { GeneratedToken } from "./model.js";

/** Sum of the probabilities that top-p keeps, by which it divides them. */
export const keptSum = ({ candidates }: GeneratedToken): number => {
  const firstKept = candidates.find(({ kept }) => kept > 0);
  return firstKept ? firstKept.tempered / firstKept.kept : 1;
};

/** Printed percentages of the candidates, then of all others together. Each list adds up to 100.0%. */
export function percentTexts({ candidates, others }: GeneratedToken) {
  const column = (name: "probability" | "tempered" | "kept") =>
    percentsThatAddUp([...candidates.map((one) => one[name]), others[name]]);
  return { model: column("probability"), tempered: column("tempered"), kept: column("kept") };
}
