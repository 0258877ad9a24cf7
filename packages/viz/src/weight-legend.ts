import { hatch } from "./hatch.js";
import { numberText } from "./number-text.js";
import { fill, stroke } from "./palette.js";
import { labelWidth, px } from "./picture.js";
import { joinSvg, svg, type Svg } from "./svg.js";

/** Steps of the scale with the numbers at its ends, and a hatched cell where there is one. */
export function weightLegend(x: number, y: number, max: number, masked: boolean): Svg {
  const steps = [0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1];
  const scale = steps.map(
    (opacity, i) =>
      svg`<rect x="${px(x + 14 + i * 10)}" y="${px(y)}" width="10" height="10" fill-opacity="${opacity}"/>`,
  );
  const end = x + 14 + steps.length * 10;
  const label = numberText(max);
  const after = end + 6 + labelWidth([label]) + 14;
  const parts = [
    svg`<g ${fill("weight")}>${scale}</g>`,
    svg`<rect x="${px(x + 14)}" y="${px(y)}" width="90" height="10" fill="none" ${stroke("rule")}/>`,
    svg`<text x="${px(x)}" y="${px(y + 9)}" ${fill("quiet")}>0</text><text x="${px(end + 6)}" y="${px(y + 9)}" ${fill("quiet")}>${label}</text>`,
  ];
  if (!masked) return joinSvg(parts, "\n");
  const hatched = joinSvg([
    svg`<path d="${hatch(after, y, 10)}" ${stroke("hatch")}/><rect x="${px(after)}" y="${px(y)}" width="10" height="10" fill="none" ${stroke("rule")}/>`,
    svg`<text x="${px(after + 16)}" y="${px(y + 9)}" ${fill("quiet")}>masked</text>`,
  ]);
  return joinSvg([...parts, hatched], "\n");
}
