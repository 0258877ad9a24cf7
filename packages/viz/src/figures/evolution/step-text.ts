import type { Mark } from "../mark.js";
import { wrapText } from "../wrap-text.js";
import type { EvolutionStep } from "./model.js";

/** Width of a letter of the monospaced font at 12 px. Unit: pixels. */
const letter = 7.25;

/** The text of a step: title, paper, problem, solution, formula, lines of code. */
export function stepText(
  step: EvolutionStep,
  prefix: string,
  { x, y, width }: { x: number; y: number; width: number },
): { marks: Mark[]; height: number } {
  const marks: Mark[] = [];
  let top = y;
  const line = (key: string, text: string, size: number, more: Partial<Mark> = {}, leading = 1.4) => {
    wrapText(text, width, size).forEach((part, i) => {
      marks.push({
        key: `${prefix}text:${key}:${i}`,
        kind: "text",
        x,
        y: top + size,
        text: part,
        size,
        layer: 1,
        ...more,
      });
      top += size * leading;
    });
  };
  const code = (key: string, text: string, more: Partial<Mark>, ground: Partial<Mark> | undefined) => {
    const parts = wrapCode(text, Math.floor((width - 16) / letter));
    if (ground) {
      const box = { key: `${prefix}text:${key}:ground`, kind: "rect" as const, x, y: top, width, radius: 3 };
      marks.push({ ...box, height: parts.length * 17 + 2, ...ground });
    }
    parts.forEach((part, i) => {
      marks.push({
        key: `${prefix}text:${key}:${i}`,
        kind: "text",
        x: x + 8,
        y: top + 13,
        text: part,
        font: "mono",
        layer: 1,
        ...more,
      });
      top += 17;
    });
    top += 3;
  };
  line("title", step.title, 19, { weight: 700 }, 1.3);
  line("paper", `${step.year} · ${step.paper.authors}: ${step.paper.title}`, 12, { fill: "quiet" }, 1.35);
  for (const [key, head, text] of [
    ["problem", "Problem", step.problem],
    ["change", "Solution", step.change],
  ] as const) {
    top += 9;
    line(`${key}:head`, head, 12, { weight: 700, fill: "quiet" });
    line(key, text, 14);
  }
  top += 8;
  code("formula", step.formula, { font: "mono" }, { fill: "rule", fillOpacity: 0.35 });
  top += 6;
  step.diff.forEach((text, i) => {
    const added = text.startsWith("+");
    const ground = added
      ? ({ fill: "value", fillOpacity: 0.14 } as const)
      : ({ fill: "key", fillOpacity: 0.1 } as const);
    code(`diff:${i}`, text, added ? {} : { fill: "quiet" }, ground);
  });
  return { marks, height: top - y };
}

const indent = "\u00a0".repeat(4); // plain spaces at the start of an SVG text are not drawn

/** Breaks a line of code at a space, with the rest indented on the next lines. `letters`: letters of a line. */
function wrapCode(text: string, letters: number): string[] {
  if (text.length <= letters) return [text];
  const at = text.lastIndexOf(" ", letters);
  const cut = at > 12 ? at : letters;
  return [text.slice(0, cut), ...wrapCode(`${indent}${text.slice(cut).trimStart()}`, letters)];
}
