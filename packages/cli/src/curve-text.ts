import type { RunNotes } from "./training-folder.js";

/** The training curve of a run as CSV. `heldBackLoss`: the validation loss, empty at steps without an evaluation. */
export function curveText({ curve }: RunNotes): string {
  return [
    "step,loss,heldBackLoss",
    ...curve.map(([step, loss, heldBackLoss]) => `${step},${loss},${heldBackLoss ?? ""}`),
    "",
  ].join("\n");
}
