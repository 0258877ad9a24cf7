import type { RunNotes } from "./training-folder.js";

/** The training curve of a run as CSV. */
export function curveText({ curve }: RunNotes): string {
  return [
    "step,loss,heldBackLoss",
    ...curve.map(([step, loss, more]) => `${step},${loss},${more ?? ""}`),
    "",
  ].join("\n");
}
