import { between } from "./between.js";
import type { Scene } from "./mark.js";

const [leaves, arrives] = [0.25, 0.7]; // progress at which exiting marks are gone, and at which entering marks begin to appear

/**
 * The scene between two others, in three stages: exiting marks fade, remaining marks move to their new places, and
 * entering marks appear. For dense pictures, in which entering and exiting marks would overlap.
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
  // Entering marks grow out of marks that are already drawn.
  return between(moved, to, (t - arrives) / (1 - arrives));
}
