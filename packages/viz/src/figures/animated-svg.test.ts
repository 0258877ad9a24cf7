import { SaxesParser } from "saxes";
import { expect, test } from "vitest";
import { animatedSvg } from "./animated-svg.js";
import type { Figure } from "./figure.js";

const step = (id: string) => ({ id, chapter: id, title: id, text: id, milliseconds: 1000 });
const figure: Figure<number, Record<string, never>> = {
  name: "dot",
  title: "A <dot>",
  caption: "It moves.",
  initial: {},
  steps: () => [step("move"), step("rest")],
  scene: (to, _, { step, progress }, width) => ({
    width,
    height: 20,
    description: "A dot that moves.",
    marks: [
      { key: "dot", kind: "circle", x: step === 0 ? progress * to : to, y: 10, radius: 5, fill: "query" },
      ...(step === 1 ? [{ key: "word", kind: "text", x: 0, y: 10, text: "there" } as const] : []),
    ],
  }),
  controls: () => [],
  table: () => ({ columns: [], rows: [] }),
};

test("changing attributes are animated, constant ones are written once", () => {
  const svg = animatedSvg(figure, 100, { width: 320, framesPerSecond: 4 });
  expect(svg).toContain(
    '<animate attributeName="cx" calcMode="linear" values="25;50;75;100;100" keyTimes="0;0.1429;0.2857;0.4286;1" dur="2s" repeatCount="indefinite"/>',
  );
  expect(svg).not.toContain('attributeName="cy"');
  expect(svg).toContain('values="hidden;visible;visible" keyTimes="0;0.5714;1"');
  const parser = new SaxesParser();
  parser.on("error", (error) => expect.fail(error.message));
  parser.write(svg).close();
});

test("a single chapter can be animated", () => {
  expect(animatedSvg(figure, 100, { chapter: "rest" })).not.toContain('cx" calcMode');
});
