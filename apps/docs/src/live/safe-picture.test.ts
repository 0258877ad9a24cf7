import { readFileSync, readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { attributes, elements } from "./safe-picture.js";

const snapshots = new URL("../../../../packages/viz/snapshots/", import.meta.url);

test.each(readdirSync(snapshots))("a page keeps all that %s draws with", (file) => {
  const svg = readFileSync(new URL(file, snapshots), "utf8").replace(/<style>.*?<\/style>/s, "");
  const drawn = new Set(Array.from(svg.matchAll(/<([a-z]+)/gi), ([, name]) => name!));
  const names = new Set(Array.from(svg.matchAll(/\s([a-z0-9-]+)="/gi), ([, name]) => name!));
  expect([...drawn].filter((name) => !elements.has(name))).toEqual([]);
  expect([...names].filter((name) => !attributes.has(name) && name !== "xmlns")).toEqual([]);
});
