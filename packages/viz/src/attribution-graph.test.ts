import { expect, test } from "vitest";
import { attributionGraph, type Attribution } from "./attribution-graph.js";
import { tableOf } from "./table-of.js";

const graph: Attribution = {
  dot: 1.5,
  nodes: [
    { id: 0, name: "embedding", side: "query", position: 2, value: 1.5 },
    { id: 1, name: "layers.0.heads.3", side: "key", position: 1, value: 2 },
    { id: 2, parent: 1, name: "embedding", side: "key", position: 0, value: 2.5 },
    { id: 3, parent: 1, name: "others", side: "key", value: -0.5 },
    { id: 4, name: "others", side: "key", value: -0.5 },
  ],
};
const tokens = ["The", " cat", " sat"];

test("the sources of each side are shown, and those of a node that is expanded", () => {
  const names = (options: object) => tableOf(attributionGraph(graph, options)).rows;
  expect(names({})).toEqual([
    { name: "query, embedding, position 2", value: "1.5" },
    { name: "key, layers.0.heads.3, position 1", value: "2" },
    { name: "key, others", value: "-0.5" },
  ]);
  expect(names({ expanded: [1], tokens }).slice(2, 4)).toEqual([
    { name: "key, layers.0.heads.3, position 1 “ cat”, embedding, position 0 “The”", value: "2.5" },
    { name: "key, layers.0.heads.3, position 1 “ cat”, others", value: "-0.5" },
  ]);
});

test("a node with sources can be selected, and its sign shows if they are expanded", () => {
  const nodeIds = (svg: string) => [...svg.matchAll(/data-qkv-node="(\d+)"/g)].map(([, id]) => Number(id));
  const [closed, open] = [[], [1]].map((expanded) => attributionGraph(graph, { expanded }));
  expect([nodeIds(closed!), nodeIds(open!)]).toEqual([[1], [1]]);
  expect(closed).toContain(">+ layers.0.heads.3 · 1<");
  expect(open).toContain(">− layers.0.heads.3 · 1<");
  expect(tableOf(closed!).description).toContain("3 of 5 nodes are shown. A node with a plus");
});

test("a negative contribution has another color and a minus; the selected node has a frame", () => {
  const svg = attributionGraph(graph, { selected: 1 });
  expect(svg.match(/<rect [^>]*qkv-fill-negative/g)).toHaveLength(1);
  expect(svg.match(/<path d="M[\d.]+ [\d.]+h[\d.]+"/g)).toHaveLength(1);
  const place = (from: string) => new RegExp(`<rect ${from} (x="[^"]*" y="[^"]*")`).exec(svg)![1];
  expect(place('data-qkv-selected=""')).toBe(place('data-qkv-node="1"'));
});

test("golden: reviewed as a picture", async () => {
  const svg = attributionGraph(graph, { expanded: [1], tokens, title: "Why cat?" });
  await expect(svg).toMatchFileSnapshot("../snapshots/attribution-graph.svg");
});

const with_ = (...nodes: object[]) => ({ dot: 1, nodes });
test.each([
  [null, /`attribution` is null/],
  [{ dot: NaN, nodes: [] }, /`attribution.dot` is NaN/],
  [with_({ id: 0, name: "a", value: Infinity }), /`attribution.nodes\[0\].value` is Infinity/],
  [
    with_({ id: 0, name: "a", value: 1, parent: 1 }),
    /`attribution.nodes\[0\].parent` is 1, expected the id of a node before it/,
  ],
  [
    with_({ id: 0, name: "a", value: 1 }, { id: 0, name: "b", value: 1 }),
    /expected an id that no other node has/,
  ],
  [with_({ id: 0, name: "a", value: 1, side: "value" }), /`attribution.nodes\[0\].side` is "value"/],
  [{ dot: 1, nodes: Array(2001).fill({ id: 0 }) }, /expected 2000 nodes or fewer/],
])("a graph %# is refused", (wrong, message) => {
  expect(() => attributionGraph(wrong as never)).toThrow(message);
});

test("ids of no node, and positions without a token, are refused", () => {
  expect(() => attributionGraph(graph, { expanded: [9] })).toThrow(/`expanded` is 9, expected ids of nodes/);
  expect(() => attributionGraph(graph, { selected: 9 })).toThrow(
    /`selected` is 9, expected the id of a node/,
  );
  expect(() => attributionGraph(graph, { tokens: ["a"] })).toThrow(/`attribution.nodes\[0\].position` is 2/);
});
