import type { Mark } from "../mark.js";
import { textMark } from "./text-mark.js";
import type { Row } from "./row.js";
import type { Opened } from "./opened.js";
import { mean, rootMeanSquare, vector } from "./model.js";
import { profileHeight } from "./opened-height.js";
import { percentileScale, vectorBars } from "./vector-bars.js";
import { fixed } from "../fixed.js";

/** The vector before and after a norm, as bars, with its mean and root mean square. */
export function openedNorm(row: Row, { model, chosen: { t }, layout, focus }: Opened): Mark[] {
  const { inside, phone, box, norm } = layout;
  const before = vector(model.stream[row.k]!, t);
  const after = vector(model.normed[row.k]!, t);
  const scale = 1.15 * Math.max(percentileScale([before]), percentileScale([after]));
  const marks: Mark[] = [];
  const top = row.y + row.height + 10;
  [
    { key: "before", name: "the vector before the norm", values: before },
    { key: "after", name: "the vector after the norm", values: after },
  ].forEach(({ key, name, values }, i) => {
    const y = top + i * profileHeight + (phone ? 14 : 0);
    const plotHeight = profileHeight - (phone ? 24 : 12);
    const place = { x: inside.x, y, width: inside.width, height: plotHeight };
    const [average, rms] = [mean(values), rootMeanSquare(values)];
    const label = i === 0 ? "before" : "after";
    const stats = `mean ${fixed(average)} · rms ${fixed(rms)}`;
    if (phone)
      marks.push(
        textMark(`norm/${key}/name`, inside.x, y - 3, `${label}: ${stats}`, {
          size: 11,
          home: `${row.key}/box`,
        }),
      );
    else {
      marks.push(
        textMark(`norm/${key}/name`, box.x + 6, y + plotHeight / 2 + 4, label, { weight: 600 }),
        textMark(`norm/${key}/mean`, norm.x - 4, y + plotHeight / 2 - 5, `mean ${fixed(average)}`),
        textMark(`norm/${key}/rms`, norm.x - 4, y + plotHeight / 2 + 13, `rms ${fixed(rms)}`, {
          weight: 600,
        }),
      );
    }
    for (const sign of [-1, 1])
      marks.push({
        key: `norm/${key}/rms:${sign}`,
        kind: "path",
        x: place.x,
        y: y + plotHeight / 2 - (sign * Math.min(1, rms / scale) * plotHeight) / 2,
        d: `M0 0H${Math.round(place.width)}`,
        stroke: "cost",
        dash: true,
        layer: 1,
        ...(sign > 0 && { ariaLabel: `root mean square of ${name}: ${fixed(rms, 3)}` }),
      });
    marks.push(...vectorBars(values, place, { key: `norm/${key}`, name, scale, focus }));
  });
  const long =
    model.norm === "rms"
      ? "÷ rms, then each number × a learned weight"
      : "− mean, ÷ standard deviation, then × a learned weight + bias";
  const short = model.norm === "rms" ? "÷ rms, × learned weights" : "− mean, ÷ deviation, × weights + bias";
  const text = phone ? short : long;
  marks.push(
    textMark("norm/text", inside.x, top + 2 * profileHeight + 6, `${text}. Dashed: ± rms`, {
      size: phone ? 11 : 12,
      fill: "quiet",
    }),
  );
  return marks;
}
