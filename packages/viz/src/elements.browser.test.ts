import { beforeEach, expect, test } from "vitest";
import {
  defineElements,
  type CellSelectEvent,
  type HeadSelectEvent,
  type WeightSelectEvent,
  type PictureElement,
} from "./elements.js";
import { pngFile, svgFile } from "./readable-picture.js";

const weights = { data: [1, 0, 0.25, 0.75], shape: [2, 2] };
let element: PictureElement<"qkv-attention-map">;
const pressIn = (element: HTMLElement, key: string) =>
  element
    .querySelector("[role=group]")!
    .dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
const liveText = (element: HTMLElement) => element.querySelector("[aria-live]")!.textContent;
const press = (key: string) => pressIn(element, key);
const reading = () => liveText(element);

beforeEach(() => {
  defineElements();
  defineElements(); // a second call changes nothing
  document.body.innerHTML = "<qkv-attention-map></qkv-attention-map>";
  element = document.querySelector("qkv-attention-map")!;
  element.draw(weights, { rowLabels: ["a", "b"], columnLabels: ["a", "b"] });
});

test("an error is shown in the element and reported, and is not thrown by the setter", () => {
  const told: unknown[] = [];
  const listen = (event: ErrorEvent) => {
    told.push(event.error);
    event.preventDefault();
  };
  element.addEventListener("error", listen);
  const wrong = { data: [1, 2], shape: [3] } as never;
  element.args = [wrong];
  expect(element.textContent).toMatch(/^attentionMap: .*\nFix: /s);
  expect(told.map(String)).toEqual([expect.stringContaining(element.textContent!)]);
  expect(() => element.draw(wrong)).toThrow(/attentionMap/);
  element.args = [weights];
  expect(element.querySelector("svg")).not.toBeNull();

  // Without a listener it is an uncaught error.
  element.removeEventListener("error", listen);
  const uncaught: string[] = [];
  const catchAll = (event: ErrorEvent) => {
    uncaught.push(event.message);
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  window.addEventListener("error", catchAll, { capture: true });
  element.args = [wrong];
  window.removeEventListener("error", catchAll, { capture: true });
  expect(uncaught.filter((message) => message.includes("attentionMap"))).not.toEqual([]);
});

test("arrow keys read the numbers, along rows and down columns, and stop at the edges", () => {
  press("ArrowRight");
  expect(reading()).toBe("query “a”, key “a”: 1");
  press("ArrowRight");
  expect(reading()).toBe("query “a”, key “b”: masked");
  press("ArrowDown");
  expect(reading()).toBe("query “b”, key “b”: 0.75");
  press("ArrowDown");
  expect(reading()).toBe("query “b”, key “b”: 0.75");
  press("ArrowLeft");
  expect(reading()).toBe("query “b”, key “a”: 0.25");
});

const lit = () =>
  [...element.querySelectorAll<SVGElement>("[data-qkv-lit]")].map((one) =>
    one.localName === "rect"
      ? ["x", "y", "width", "height"].map((name) => Number(one.getAttribute(name)))
      : one.textContent,
  );

test("a cell highlights its row, its column and their labels, until the next one does", () => {
  press("ArrowRight");
  press("ArrowRight");
  const cells = [...element.querySelectorAll("rect:has(> title)")];
  const at = (i: number, name: string) => Number(cells[i]!.getAttribute(name));
  const size = at(0, "width");
  // Row “a” and column “b”.
  const row = [at(0, "x"), at(0, "y"), 2 * size, size];
  expect(lit()).toEqual(["a", "b", row, [at(1, "x"), at(1, "y"), size, 2 * size]]);
  const labels = [...element.querySelectorAll<SVGElement>("text[data-qkv-lit]")];
  expect(labels.map(({ style }) => style.fontWeight)).toEqual(["700", "700"]);
  press("ArrowDown");
  expect(lit().slice(2)).toEqual([
    [at(2, "x"), at(2, "y"), 2 * size, size],
    [at(1, "x"), at(1, "y"), size, 2 * size],
  ]);
});

test("a cell highlights row and column only in its own map", () => {
  element.draw({ data: [1, 0, 0.25, 0.75, 1, 0, 0.5, 0.5], shape: [1, 2, 2, 2] });
  const cells = [...element.querySelectorAll("rect:has(> title)")];
  cells[6]!.dispatchEvent(new PointerEvent("pointerover", { bubbles: true }));
  expect(reading()).toBe("query 1, key 0: 0.5");
  const [row, column] = lit().slice(-2) as number[][];
  expect(row!.slice(0, 2)).toEqual(["x", "y"].map((name) => Number(cells[6]!.getAttribute(name))));
  expect(column![0]).toBe(row![0]);
});

test("with scores, a cell reads the formula of its weight too", () => {
  element.draw(weights, { scores: { data: [1, -Infinity, 0, Math.log(3)], shape: [2, 2] } });
  press("ArrowRight");
  press("ArrowDown");
  expect(reading()).toBe("query 1, key 0: 0.25 ≈ e^(0 − 1.1) / 1.33, the softmax of its row");
});

test("bars are no grid: one is read, and nothing else is highlighted", () => {
  document.body.innerHTML = `<qkv-bars args='[{"data":[64,8],"shape":[2]},{"labels":["MHA","MQA"],"unit":"MB"}]'></qkv-bars>`;
  const bars = document.querySelector<HTMLElement>("qkv-bars")!;
  pressIn(bars, "ArrowRight");
  expect(liveText(bars)).toBe("MHA: 64 MB");
  expect(bars.querySelector("[data-qkv-lit]")).toBeNull();
});

test("a saved picture has no highlight", async () => {
  press("ArrowRight");
  expect(lit()).toHaveLength(4);
  const text = await svgFile(element.querySelector("svg")!).text();
  expect(text).not.toContain("data-qkv-lit");
  expect(text).not.toContain("font-weight: 700");
});

test("the table has every number, and can be closed", () => {
  const button = [...element.querySelectorAll("button")].find(({ textContent }) => textContent === "Table")!;
  button.click();
  expect([...element.querySelectorAll("td")].map(({ textContent }) => textContent)).toEqual([
    "1",
    "masked",
    "0.25",
    "0.75",
  ]);
  button.click();
  expect(element.querySelector("table")!.checkVisibility()).toBe(false);
});

test("drawing again leaves one picture and one set of tools", () => {
  element.draw({ data: [1], shape: [1, 1] });
  expect(element.querySelectorAll("svg").length).toBe(1);
  expect(element.querySelectorAll("[data-qkv-tools]").length).toBe(1);
});

test("the attribute `args` draws, and `<qkv-picture>` makes its SVG readable", () => {
  document.body.innerHTML = `<qkv-bars args='[{"data":[64,8],"shape":[2]},{"labels":["MHA","MQA"],"unit":"MB"}]'></qkv-bars>`;
  const svg = document.querySelector("qkv-bars svg")!.outerHTML;
  expect(svg).toContain("MQA: 8 MB");
  document.body.innerHTML = `<qkv-picture>${svg}</qkv-picture>`;
  expect(document.querySelector("qkv-picture [role=group]")).not.toBeNull();
});

test("the property `args` draws, also if set before the element is defined; the same arguments draw once", () => {
  const { innerHTML } = element;
  const options = { rowLabels: ["a", "b"], columnLabels: ["a", "b"] };
  const other = document.createElement("qkv-attention-map") as typeof element;
  other.args = [weights, options];
  document.body.append(other);
  expect(other.innerHTML).toBe(innerHTML);
  const { firstElementChild } = other;
  other.args = [weights, options];
  expect(other.firstElementChild).toBe(firstElementChild);
  other.args = [weights];
  expect(other.firstElementChild).not.toBe(firstElementChild);
  expect(other.args).toEqual([weights]);
  other.args = undefined;
  expect(other.childElementCount).toBe(0);
  // A class with the same constructor represents an element that is defined late.
  const late = document.createElement("qkv-late") as typeof element;
  late.args = [weights, options];
  document.body.append(late);
  const Picture = customElements.get("qkv-attention-map")!;
  customElements.define("qkv-late", class extends Picture {});
  expect(late.innerHTML).toBe(innerHTML);
});

test("the views of heads are elements: lines and maps are read one after the other, a row of numbers down", () => {
  document.body.innerHTML = "<qkv-head-view></qkv-head-view>";
  const headView = document.querySelector<PictureElement<"qkv-head-view">>("qkv-head-view")!;
  const layer = { data: [1, 0, 0.25, 0.75, 1, 0, 0.5, 0.5], shape: [1, 2, 2, 2] };
  headView.draw(layer, { rowLabels: ["a", "b"], numKvHeads: 1 });
  pressIn(headView, "ArrowRight");
  expect(liveText(headView)).toBe("head 0, query “a”, key “a”: 1");
  pressIn(headView, "ArrowRight");
  expect(liveText(headView)).toBe("head 0, query “b”, key “a”: 0.25");

  document.body.innerHTML = "<qkv-model-view></qkv-model-view>";
  const modelView = document.querySelector<PictureElement<"qkv-model-view">>("qkv-model-view")!;
  modelView.draw([layer, layer]);
  pressIn(modelView, "ArrowRight");
  pressIn(modelView, "ArrowDown");
  expect(liveText(modelView)).toMatch(/^layer 1, head 0, .* at most 1, of query 0 and key 0$/);

  const args = [{ data: [2], shape: [1] }, { data: [1, 3], shape: [2, 1] }, { columnLabels: ["a", "b"] }];
  document.body.innerHTML = `<qkv-neuron-view args='${JSON.stringify(args)}'></qkv-neuron-view>`;
  const table = document.querySelector("qkv-neuron-view")!;
  [...table.querySelectorAll("button")].find(({ textContent }) => textContent === "Table")!.click();
  expect([...table.querySelectorAll("tr")].map(({ textContent }) => textContent)).toContain(
    "key “b”, score6",
  );
});

test("a saved picture has the colors of the page, as text and as pixels", async () => {
  document.documentElement.setAttribute("data-theme", "dark");
  const svg = element.querySelector<SVGSVGElement>("svg")!;
  const text = await svgFile(svg).text();
  expect(text).toContain('fill="rgb(22, 21, 28)"');
  expect(text).not.toContain("<style");
  const bitmap = await createImageBitmap(await pngFile(svg));
  expect([bitmap.width, bitmap.height]).toEqual([
    2 * svg.viewBox.baseVal.width,
    2 * svg.viewBox.baseVal.height,
  ]);
  document.documentElement.removeAttribute("data-theme");
});

test("a map of thousands of tokens is a canvas, read by arrow keys, by the pointer and as a table", () => {
  const [T, S] = [400, 1000];
  const data = new Float32Array(T * S);
  for (let t = 0; t < T; t++) for (let s = 0; s <= t; s++) data[t * S + s] = 1 / (t + 1);
  element.draw(
    { data, shape: [T, S] },
    { title: "Long", columnLabels: Array.from({ length: S }, (_, s) => `k${s}`) },
  );
  const canvas = element.querySelector("canvas")!;
  expect([canvas.width, canvas.height, element.querySelectorAll("svg").length]).toEqual([S, T, 0]);
  const pixel = [...canvas.getContext("2d")!.getImageData(0, 0, 1, 1).data];
  expect(pixel).toEqual([55, 37, 122, 255]);

  press("ArrowRight");
  expect(reading()).toBe("query 0, key “k0”: 1");
  press("ArrowRight");
  expect(reading()).toBe("query 0, key “k1”: masked");
  press("ArrowDown");
  expect(reading()).toBe("query 1, key “k1”: 0.5");
  [...element.querySelectorAll("button")].find(({ textContent }) => textContent === "Table")!.click();
  expect([...element.querySelectorAll("tr")].map(({ textContent }) => textContent)).toEqual([
    "key “k0”0.5",
    "key “k1”0.5",
  ]);

  const { left, top, width, height } = canvas.getBoundingClientRect();
  const at = { clientX: left + (10.5 * width) / S, clientY: top + (99.5 * height) / T, bubbles: true };
  canvas.dispatchEvent(new PointerEvent("pointermove", at));
  expect(reading()).toBe("query 99, key “k10”: 0.01");

  // With a mask, a weight of 0 that it does not hide is a number.
  element.draw(
    { data, shape: [T, S] },
    { mask: { data: [...new Uint8Array(S)].map((_, s) => s < 2), shape: [S] } },
  );
  press("ArrowRight");
  press("ArrowRight");
  expect(reading()).toBe("query 0, key 1: 0");
  press("ArrowRight");
  expect(reading()).toBe("query 0, key 2: masked");

  element.draw(weights);
  expect(element.querySelectorAll("canvas").length).toBe(0);
});

test("the error of an attribute that is no list names the element", () => {
  const element = document.createElement("qkv-bars") as PictureElement<"qkv-bars"> & {
    attributeChangedCallback(name: string): void;
  };
  for (const [args, received] of [
    ['[{"data":[64', '"[{\\"data\\":[64"'],
    ["{}", '"{}"'],
  ] as const) {
    element.getAttribute = () => args;
    expect(() => element.attributeChangedCallback("args")).toThrow(
      `qkv-bars: \`args\` is ${received}, expected JSON of a list of what the function takes.\nFix: write args='[`,
    );
  }
  element.removeAttribute("args");
});

test("a head is selected by pointer and keys, with an event; other pictures send none", () => {
  document.body.innerHTML = "<main><qkv-head-grid></qkv-head-grid></main>";
  const grid = document.querySelector<PictureElement<"qkv-head-grid">>("qkv-head-grid")!;
  const heads: object[] = [];
  document
    .querySelector("main")!
    .addEventListener("headselect", (event) => heads.push((event as HeadSelectEvent).detail));
  grid.draw({ data: new Float32Array(24).fill(0.5), shape: [2, 3, 2, 2] });
  pressIn(grid, "Enter");
  expect(heads).toEqual([]);
  const maps = [...grid.querySelectorAll("rect:has(> title)")];
  maps[4]!.dispatchEvent(new MouseEvent("click", { bubbles: true }));
  expect(heads).toEqual([{ layer: 1, head: 1 }]);
  expect(liveText(grid)).toMatch(/^layer 1, head 1: /);
  pressIn(grid, "ArrowRight");
  pressIn(grid, "Enter");
  pressIn(grid, "ArrowUp");
  pressIn(grid, " ");
  expect(heads.slice(1)).toEqual([
    { layer: 1, head: 2 },
    { layer: 0, head: 2 },
  ]);
  // Between the maps there is nothing to choose.
  grid.querySelector("svg")!.dispatchEvent(new MouseEvent("click", { bubbles: true }));
  expect(heads.length).toBe(3);
  expect(grid.querySelector("[role=group]")!.getAttribute("aria-label")).toMatch(/Enter chooses\.$/);
  expect(element.innerHTML).not.toContain("Enter chooses");
});

test("the selected head keeps its frame while others are read, also after a redraw", () => {
  document.body.innerHTML = "<qkv-head-grid></qkv-head-grid>";
  const grid = document.querySelector<PictureElement<"qkv-head-grid">>("qkv-head-grid")!;
  const weights = { data: new Float32Array(16).fill(0.5), shape: [2, 2, 2, 2] };
  grid.draw(weights);
  const frames = () =>
    [...grid.querySelectorAll("[data-qkv-selected]")].map((frame) =>
      ["x", "y"].map((name) => frame.getAttribute(name)),
    );
  const maps = () => [...grid.querySelectorAll<SVGElement>("rect:has(> title)")];
  const corner = (mark: Element) => ["x", "y"].map((name) => mark.getAttribute(name));
  expect(frames()).toEqual([]);
  maps()[2]!.dispatchEvent(new MouseEvent("click", { bubbles: true }));
  expect(frames()).toEqual([corner(maps()[2]!)]);
  maps()[1]!.dispatchEvent(new PointerEvent("pointerover", { bubbles: true }));
  expect(frames()).toEqual([corner(maps()[2]!)]);
  expect(maps().map(({ style }) => style.outlineStyle)).toEqual(["", "dotted", "", ""]);

  grid.querySelector<HTMLElement>("[role=group]")!.focus();
  grid.draw(weights, { selected: { layer: 0, head: 1 } });
  expect(frames()).toEqual([corner(maps()[1]!)]);
  expect(document.activeElement).toBe(grid.querySelector("[role=group]"));
  // Keys go on from the selected head.
  pressIn(grid, "ArrowDown");
  expect(liveText(grid)).toMatch(/^layer 1, head 1: /);
});

const patched = { names: ["a", "b"], values: { data: [0, 1, -1, 0.5], shape: [2, 2] } };

test("cells of patching and of the logit lens are selected by pointer and keys", () => {
  document.body.innerHTML = "<main><qkv-patching></qkv-patching><qkv-logit-lens></qkv-logit-lens></main>";
  const cells: object[] = [];
  document
    .querySelector("main")!
    .addEventListener("cellselect", (event) => cells.push((event as CellSelectEvent).detail));
  const patching = document.querySelector<PictureElement<"qkv-patching">>("qkv-patching")!;
  patching.draw(patched);
  patching.querySelector('[data-qkv-cell="1,0"]')!.dispatchEvent(new MouseEvent("click", { bubbles: true }));
  expect(liveText(patching)).toBe("b, position 0: -1");
  pressIn(patching, "ArrowUp");
  pressIn(patching, "Enter");
  expect(cells).toEqual([
    { row: 1, column: 0 },
    { row: 0, column: 0 },
  ]);
  const lens = document.querySelector<PictureElement<"qkv-logit-lens">>("qkv-logit-lens")!;
  const probabilities = { data: [0.5, 0.25], shape: [1, 2, 1] };
  lens.draw({ names: ["a"], tokens: ["x", "y"], topTokens: [[["y"], ["z"]]], probabilities });
  pressIn(lens, "ArrowRight");
  pressIn(lens, "ArrowRight");
  pressIn(lens, " ");
  expect(cells.at(-1)).toEqual({ row: 0, column: 1 });
  expect(liveText(lens)).toBe("a, position 1 “y”: “z” 0.25");
  expect(lens.querySelectorAll("[data-qkv-selected]")).toHaveLength(1);
});

test("weights of maps, pixels and arcs are selected by pointer and keys, and a token as a query", () => {
  document.body.innerHTML =
    "<main><qkv-attention-map></qkv-attention-map><qkv-token-arcs></qkv-token-arcs></main>";
  const chosen: object[] = [];
  document
    .querySelector("main")!
    .addEventListener("cellselect", (event) => chosen.push((event as WeightSelectEvent).detail));
  const weights = { data: [1, 0, 0.25, 0.75], shape: [2, 2] };
  const map = document.querySelector<PictureElement<"qkv-attention-map">>("qkv-attention-map")!;
  const click = (host: Element, at: string) =>
    host.querySelector(at)!.dispatchEvent(new MouseEvent("click", { bubbles: true }));
  map.draw(weights);
  click(map, "rect.qkv-cell");
  expect(chosen).toEqual([]);
  map.draw(weights, { selected: { row: 1, column: 0 } });
  click(map, '[data-qkv-cell="1,1"]');
  pressIn(map, "ArrowUp");
  pressIn(map, "Enter");
  expect(chosen.splice(0)).toEqual([
    { row: 1, column: 1 },
    { row: 0, column: 1 },
  ]);

  const arcs = document.querySelector<PictureElement<"qkv-token-arcs">>("qkv-token-arcs")!;
  arcs.draw(weights, { labels: ["the", "cat"], query: 1, selected: { row: 1 } });
  click(arcs, '[data-qkv-cell="1,0"]');
  click(arcs, '[data-qkv-cell="0"]');
  pressIn(arcs, "ArrowRight");
  pressIn(arcs, " ");
  expect(chosen.splice(0)).toEqual([{ row: 1, column: 0 }, { row: 0 }, { row: 1 }]);

  const side = 330;
  const large = { data: new Float32Array(side * side).fill(0.5), shape: [side, side] };
  map.draw(large, { selected: { row: 7, column: 3 } });
  expect(liveText(map)).toBe("query 7, key 3: 0.5");
  pressIn(map, "ArrowDown");
  pressIn(map, "Enter");
  const { left, top, width, height } = map.querySelector("canvas")!.getBoundingClientRect();
  const [clientX, clientY] = [left + (20.9 * width) / side, top + (30.9 * height) / side];
  const pointer = new MouseEvent("click", { bubbles: true, clientX, clientY });
  map.querySelector("canvas")!.dispatchEvent(pointer);
  expect(chosen.splice(0)).toEqual([
    { row: 8, column: 3 },
    { row: 30, column: 20 },
  ]);
  map.draw(large);
  map.querySelector("canvas")!.dispatchEvent(pointer);
  pressIn(map, "Enter");
  expect(chosen).toEqual([]);
});

test("selecting a node shows or hides its sources, unless the page prevents it", async () => {
  document.body.innerHTML = "<qkv-attribution-graph></qkv-attribution-graph>";
  const graph = document.querySelector<PictureElement<"qkv-attribution-graph">>("qkv-attribution-graph")!;
  const nodes = [
    { id: 0, name: "a head", value: 1 },
    { id: 1, parent: 0, name: "a token", value: 1 },
  ];
  graph.draw({ dot: 1, nodes });
  const texts = () => [...graph.querySelectorAll("rect > title")].map(({ textContent }) => textContent);
  const click = () =>
    graph.querySelector('[data-qkv-node="0"]')!.dispatchEvent(new MouseEvent("click", { bubbles: true }));
  expect(texts()).toEqual(["a head: 1"]);
  click();
  await expect.poll(texts).toEqual(["a head: 1", "a head, a token: 1"]);
  pressIn(graph, "Enter");
  await expect.poll(texts).toEqual(["a head: 1"]);
  // A node without sources is read, and not chosen.
  click();
  await expect.poll(() => texts().length).toBe(2);
  pressIn(graph, "ArrowRight");
  expect(liveText(graph)).toBe("a head, a token: 1");
  pressIn(graph, "Enter");
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(texts().length).toBe(2);
  // Drawn anew, the element listens once.
  graph.draw({ dot: 1, nodes });
  click();
  await expect.poll(() => texts().length).toBe(2);
  graph.addEventListener("nodeselect", (event) => event.preventDefault());
  click();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(texts().length).toBe(2);
});

/** The address of a file in this page. */
const blobUrl = (text: string) => URL.createObjectURL(new Blob([text]));

test("the file of `src` is drawn, the latest of several, and a missing file is an error", async () => {
  document.body.innerHTML = "<qkv-patching></qkv-patching>";
  const patching = document.querySelector<PictureElement<"qkv-patching">>("qkv-patching")!;
  expect(patching.src).toBe("");
  patching.src = blobUrl(JSON.stringify([patched, { title: "First" }]));
  patching.setAttribute("src", blobUrl(JSON.stringify([patched, { title: "Second" }])));
  await expect.poll(() => patching.querySelector("svg > title")?.textContent).toBe("Second");
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(patching.querySelector("svg > title")?.textContent).toBe("Second");

  const told: string[] = [];
  patching.addEventListener("error", (event) => {
    told.push(event.message);
    event.preventDefault();
  });
  patching.src = blobUrl("[1,");
  await expect.poll(() => told.length).toBe(1);
  expect(patching.textContent).toMatch(/^readViewFile: `the file: args` is "\[1,"/);
  patching.src = "/no-such-file.safetensors";
  await expect.poll(() => told.length).toBe(2);
});
