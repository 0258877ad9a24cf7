import type { FlashAttentionModel } from "./model.js";

/** Layout of the figure: Q left of the scores, K above, V below, and the state of each query to the right. Unit: pixels. */
export type FlashLayout = ReturnType<typeof flashLayout>;

export function flashLayout(model: FlashAttentionModel, width: number) {
  const [N, D] = model.query.shape as [number, number];
  const phone = width < 640;
  const cell = phone ? Math.min(22, Math.floor((width - 162) / N)) : Math.floor(Math.min(440 / N, 40));
  const panelWidth = 280; // pixels, at least
  const small = phone ? 5 : 13; // side of the cell of a number of Q, K or V
  const names = phone ? 18 : 22;
  const gap = phone ? 5 : 8;
  const left = names + D * small + gap;
  const top = 40 + D * small + gap;
  const state = left + N * cell + (phone ? 6 : 16);
  // Without a panel beside them, the states take the rest of the width.
  const spare = width - 4 - (state + 2 * 50 + D * 40);
  const wider = phone || spare >= panelWidth + 28 ? 0 : Math.max(0, spare);
  const number = (phone ? 34 : 50) + Math.min(24, Math.floor(wider / 8));
  const accumulator = state + 2 * number;
  const accumulatorCell = phone ? 11 : 40 + Math.floor((wider - 2 * (number - 50)) / D);
  const right = accumulator + D * accumulatorCell;
  const under = top + N * cell + gap;
  const bottom = under + D * small + (phone ? 4 : 22);
  const beside = width - right - 32 >= panelWidth;
  const panel = beside
    ? { x: right + 32, y: 24, width: Math.min(330, width - right - 36) }
    : { x: 2, y: bottom + 12, width: width - 4 };
  return {
    N,
    D,
    phone,
    cell,
    small,
    names,
    gap,
    left,
    top,
    state,
    number,
    accumulator,
    accumulatorCell,
    right,
    under,
    bottom,
    beside,
    panel,
    /** Upper left corner of the score of a query and a key. */
    score: (t: number, s: number) => ({ x: left + s * cell, y: top + t * cell }),
  };
}
