import { easeCubicInOut } from "d3-ease";
import type { Mark, Scene } from "../mark.js";

const [sets, lands] = [0.1, 0.7]; // parts of the step between which the terms are under way

/** Copies of a point of the stream and of what is added to it, on the way to the point where they are one sum. */
export function addition({ marks }: Scene, k: number, progress: number): Mark[] {
  const way = easeCubicInOut(Math.min(1, Math.max(0, (progress - sets) / (lands - sets))));
  if (way === 0) return [];
  const goal = marks.find(({ key }) => key === `stream:${k + 1}/up`);
  const terms = [`stream:${k}`, `${k % 2 ? "mlp" : "attention"}:${k}`];
  const fades = 1 - Math.max(0, (progress - lands) / (1 - lands));
  return terms.flatMap((term) =>
    marks
      .filter(({ key }) => key === `${term}/up` || key === `${term}/down`)
      .map((mark): Mark => {
        const { home: _, ...copy } = mark;
        const y = mark.y + ((goal?.y ?? mark.y) - mark.y) * way;
        return { ...copy, key: `adding:${mark.key}`, y, opacity: 0.7 * fades, layer: 2 };
      }),
  );
}
