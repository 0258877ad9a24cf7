import { easeCubicInOut } from "d3-ease";
import type { Mark, Scene } from "../mark.js";

const [start, arrival] = [0.1, 0.7]; // progress at which the terms start to move, and at which they arrive

/** Moving copies of the residual stream and of the vector that is added to it, which meet at their sum. */
export function addition({ marks }: Scene, k: number, progress: number): Mark[] {
  const moved = easeCubicInOut(Math.min(1, Math.max(0, (progress - start) / (arrival - start))));
  if (moved === 0) return [];
  const goal = marks.find(({ key }) => key === `stream:${k + 1}/up`);
  const terms = [`stream:${k}`, `${k % 2 ? "mlp" : "attention"}:${k}`];
  const fades = 1 - Math.max(0, (progress - arrival) / (1 - arrival));
  return terms.flatMap((term) =>
    marks
      .filter(({ key }) => key === `${term}/up` || key === `${term}/down`)
      .map((mark): Mark => {
        const { home: _, ...copy } = mark;
        const y = mark.y + ((goal?.y ?? mark.y) - mark.y) * moved;
        return { ...copy, key: `adding:${mark.key}`, y, opacity: 0.7 * fades, layer: 2 };
      }),
  );
}
