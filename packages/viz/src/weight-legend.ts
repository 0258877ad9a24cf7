import { hatch } from "./hatch.js";
import { minusPath } from "./map-cells.js";
import { numberText } from "./number-text.js";
import { fill, stroke } from "./palette.js";
import { labelWidth, px } from "./picture.js";
import { joinSvg, svg, type Svg } from "./svg.js";

/**
 * The scale of weights with the numbers at its ends, then a gray cell with the minimum, and a hatched cell for masked. `ink` is
 * the opacity of `max`.
 */
export function weightLegend(
  x: number,
  y: number,
  { max, min, masked, ink = 1 }: { max: number; min: number | undefined; masked: boolean; ink?: number },
): Svg {
  const steps = [0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1];
  const scale = steps.map(
    (opacity, i) =>
      svg`<rect x="${px(x + 14 + i * 10)}" y="${px(y)}" width="10" height="10" fill-opacity="${opacity * ink}"/>`,
  );
  const end = x + 14 + steps.length * 10;
  const label = numberText(max);
  const swatch = (at: number, path: Svg, text: string) =>
    joinSvg([
      path,
      svg`<rect x="${px(at)}" y="${px(y)}" width="10" height="10" fill="none" ${stroke("rule")}/>`,
      svg`<text x="${px(at + 16)}" y="${px(y + 9)}" ${fill("quiet")}>${text}</text>`,
    ]);
  const parts = [
    svg`<g ${fill("weight")}>${scale}</g>`,
    svg`<rect x="${px(x + 14)}" y="${px(y)}" width="90" height="10" fill="none" ${stroke("rule")}/>`,
    svg`<text x="${px(x)}" y="${px(y + 9)}" ${fill("quiet")}>0</text><text x="${px(end + 6)}" y="${px(y + 9)}" ${fill("quiet")}>${label}</text>`,
  ];
  let after = end + 6 + labelWidth([label]) + 14;
  if (min !== undefined) {
    const minText = numberText(min);
    const gray = svg`<rect x="${px(after)}" y="${px(y)}" width="10" height="10" ${fill("cost")}/><path d="${minusPath(after, y, 10)}" ${stroke("text")}/>`;
    parts.push(swatch(after, gray, minText));
    after += 16 + labelWidth([minText]) + 14;
  }
  if (masked) parts.push(swatch(after, svg`<path d="${hatch(after, y, 10)}" ${stroke("hatch")}/>`, "masked"));
  return joinSvg(parts, "\n");
}
