// Draws docs/architecture.svg, the graph of imports between packages, from the sources. --check only compares.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { allPackages } from "./packages.mjs";

const picture = fileURLToPath(new URL("../docs/architecture.svg", import.meta.url));

/**
 * The packages that each package imports in its sources, without tests.
 *
 * @returns {Map<string, string[]>} By name.
 */
export function importGraph() {
  const packages = allPackages();
  const names = packages.map(({ name }) => name);
  return new Map(
    packages.map(({ name, folder }) => {
      const files = readdirSync(join(folder, "src"), { recursive: true }).map(String);
      const sources = files.filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"));
      const found = new Set();
      for (const file of sources) {
        const text = readFileSync(join(folder, "src", file), "utf8").replace(/^ *\*.*$/gm, "");
        for (const [, from] of text.matchAll(/(?:from|import)[ (]*"(@qkv\/[a-z-]+|qkv)[/"]/g))
          found.add(from);
      }
      return [name, names.filter((other) => other !== name && found.has(other))];
    }),
  );
}

/**
 * Draws each package in a row above all that it imports. Arrows implied by others are omitted: if a package imports another
 * indirectly, there is no direct arrow (transitive reduction).
 *
 * @param {Map<string, string[]>} graph
 * @returns {string} SVG text.
 */
export function drawGraph(graph) {
  const level = new Map();
  const levelOf = (name) => {
    if (!level.has(name)) {
      level.set(name, 0);
      level.set(name, Math.max(0, ...graph.get(name).map((other) => levelOf(other) + 1)));
    }
    return level.get(name);
  };
  for (const name of graph.keys()) levelOf(name);
  const rows = [];
  for (const [name, at] of level) (rows[at] ??= []).push(name);
  const [width, rowHeight, boxHeight] = [860, 92, 36];
  const height = rows.length * rowHeight;
  const boxes = new Map();
  rows.forEach((names, at) =>
    names.sort().forEach((name, i) => {
      const size = name.length * 8 + 24;
      const x = ((i + 0.5) * width) / names.length;
      boxes.set(name, { x, y: height - (at + 0.5) * rowHeight, size });
    }),
  );
  const reaches = (from, to) =>
    graph.get(from).some((other) => other === to || (other !== from && reaches(other, to)));
  const arrows = [...graph].flatMap(([from, others]) =>
    others
      .filter((to) => !others.some((other) => other !== to && reaches(other, to)))
      .map((to) => {
        const [a, b] = [boxes.get(from), boxes.get(to)];
        const [y1, y2] = [a.y + boxHeight / 2, b.y - boxHeight / 2 - 6];
        const middle = (y1 + y2) / 2;
        const path = `M${a.x} ${y1}C${a.x} ${middle} ${b.x} ${middle} ${b.x} ${y2}`;
        return `<path d="${path}"><title>${from} imports ${to}</title></path>`;
      }),
  );
  const nodes = [...boxes].map(
    ([name, { x, y, size }]) =>
      `<rect x="${x - size / 2}" y="${y - boxHeight / 2}" width="${size}" height="${boxHeight}" rx="6"/>` +
      `<text x="${x}" y="${y + 5}">${name}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="Which package imports which">
<style>svg{background:#fcfbf8}rect{fill:#fff;stroke:#0072b2}path{fill:none;stroke:#77727f;marker-end:url(#to)}#to path{fill:#77727f;stroke:none;marker-end:none}text{font:14px ui-monospace,monospace;text-anchor:middle;fill:#1f1b2e}</style>
<defs><marker id="to" viewBox="0 0 6 6" refX="0" refY="3" markerWidth="6" markerHeight="6" orient="auto"><path d="M0 0L6 3L0 6Z"/></marker></defs>
${[...arrows, ...nodes].join("\n")}
</svg>
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const drawn = drawGraph(importGraph());
  if (!process.argv.includes("--check")) writeFileSync(picture, drawn);
  else if (readFileSync(picture, "utf8") !== drawn) {
    console.error("docs/architecture.svg is not what the sources import.\nFix: run npm run architecture.");
    process.exitCode = 1;
  }
}
