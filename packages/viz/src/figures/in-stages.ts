import { between } from "./between.js";
import type { Scene } from "./mark.js";

const [leaves, arrives] = [0.25, 0.7]; // the parts of the way at which all that goes is gone, and what comes begins to

/**
 * The scene on the way from one to another, one thing after the other: what goes fades, what stays moves to its new place,
 * what comes appears. For pictures that are full: nothing new is drawn over what is still leaving.
 */
export function inStages(from: Scene, to: Scene, t: number): Scene {
  if (t <= 0) return from;
  if (t >= 1) return to;
  const keySet = ({ marks }: Scene) => new Set(marks.map(({ key }) => key));
  const [before, after] = [keySet(from), keySet(to)];
  const stays = { ...from, marks: from.marks.filter(({ key }) => after.has(key)) };
  const moved = { ...to, marks: to.marks.filter(({ key }) => before.has(key)) };
  if (t < leaves) return { ...between(from, stays, t / leaves), description: to.description };
  if (t < arrives) return between(stays, moved, (t - leaves) / (arrives - leaves));
  // What comes grows out of marks that are there.
  return between(moved, to, (t - arrives) / (1 - arrives));
}
