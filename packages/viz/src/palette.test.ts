import { expect, test } from "vitest";
import { dark, light } from "./palette.js";

/** WCAG 2.2, "contrast ratio". */
function contrast(a: string, b: string): number {
  const luminance = (color: string) => {
    const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
      const channel = parseInt(color.slice(at, at + 2), 16) / 255;
      return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [high = 0, low = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

test("black on white is 21:1", () => {
  expect(contrast("#000000", "#ffffff")).toBeCloseTo(21, 6);
});

test.each([
  ["light", light],
  ["dark", dark],
])("%s: letters have a contrast of 4.5:1 or more on the paper, marks 3:1", (_, theme) => {
  for (const [name, color] of Object.entries(theme)) {
    if (["paper", "rule", "hatch"].includes(name)) continue;
    const minContrast = name.endsWith("text") || name === "quiet" ? 4.5 : 3;
    expect(contrast(color, theme.paper), name).toBeGreaterThanOrEqual(minContrast);
  }
});

test("query, key and value have the colors of Okabe and Ito", () => {
  expect([light.query, light.key, light.value]).toEqual(["#0072b2", "#d55e00", "#009e73"]);
});
