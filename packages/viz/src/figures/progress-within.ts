/** Progress of `t` within an interval: 0 before `from`, 1 after `to`, linear between. */
export const progressWithin = (t: number, from: number, to: number): number =>
  Math.min(1, Math.max(0, (t - from) / (to - from)));
