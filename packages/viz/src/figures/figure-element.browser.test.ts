import { afterEach, expect, test } from "vitest";
import type { Figure } from "./figure.js";
import { figureElement, type FigureElement } from "./figure-element.js";

type Choices = { size: number; word: string };
const step = (id: string) => ({
  id,
  chapter: id,
  title: `Step ${id}`,
  text: `Text of ${id}.`,
  ...(id === "last" && { source: { text: "A paper", url: "https://example.org/paper" } }),
  milliseconds: 80,
});

// Two by two cells; `size` needs other numbers, `word` does not.
const figure: Figure<number[], Choices> = {
  name: "toy",
  title: "A toy",
  caption: "Four cells.",
  initial: { size: 1, word: "one" },
  modelInputs: ["size"],
  steps: () => [step("first"), step("middle"), step("last")],
  scene: (model, _, { step, progress, focus }, width) => ({
    width,
    height: 100,
    description: "Four cells.",
    marks: model.map((value, i) => ({
      key: `cell:${i}`,
      kind: "rect",
      x: 10 + 50 * (i % 2),
      y: 10 + 40 * Math.floor(i / 2),
      width: 40,
      height: 30,
      fill: "query",
      fillOpacity: focus === `cell:${i}` ? 1 : (step + progress) / 6,
      text: String(value),
      ariaLabel: `cell ${i}: ${value}`,
      cell: `cell:${i}`,
    })),
  }),
  controls: () => [
    { kind: "range", key: "size", label: "Size", min: 1, max: 3, step: 1 },
    {
      kind: "choice",
      key: "word",
      label: "Word",
      options: [
        { value: "one", label: "one" },
        { value: "two", label: "two" },
      ],
    },
  ],
  table: (model) => ({ columns: ["cell", "value"], rows: model.map((value, i) => [i, value]) }),
  formula: () => [{ text: "Q", step: "first", activeSteps: ["first"], color: "query-text" }],
};
customElements.define(
  "qkv-toy",
  figureElement(figure, async ({ size }) => [1, 2, 3, 4].map((value) => value * size)),
);

// A press takes more steps, which only other numbers have, and goes to the last of them.
type Deep = { depth: number; path: string };
const deep: Figure<number, Deep> = {
  name: "deep",
  title: "Deep",
  caption: "Steps that grow.",
  initial: { depth: 1, path: "" },
  modelInputs: ["depth", "path"],
  steps: (depth) => Array.from({ length: depth }, (_, i) => step(String(i))),
  scene: (depth, _, __, width) => figure.scene([depth], figure.initial, { step: 0, progress: 1 }, width),
  controls: () => [
    { kind: "range", key: "depth", label: "Depth", min: 1, max: 9, step: 1 },
    { kind: "press", key: "path", label: "Path", maxLength: 9 },
  ],
  table: () => ({ columns: [], rows: [] }),
  press: (depth) => ({ choices: { path: "a", depth: depth + 2 }, step: String(depth + 1) }),
};
customElements.define(
  "qkv-deep",
  figureElement(deep, async ({ depth }) => depth),
);

async function place(state = ""): Promise<FigureElement<number[], Choices>> {
  document.body.innerHTML = `<qkv-toy state="${state}" style="display:block;width:700px"></qkv-toy>`;
  const host = document.querySelector<FigureElement<number[], Choices>>("qkv-toy")!;
  await expect.poll(() => host.querySelectorAll("[data-cell]").length).toBe(4);
  return host;
}
const title = (host: HTMLElement) => host.querySelector(".qkv-figure-title")!.textContent;
const press = (target: Element, key: string) =>
  target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
const button = (host: HTMLElement, name: string) =>
  host.querySelector<HTMLButtonElement>(`button[aria-label="${name}"]`)!;
afterEach(() => document.body.replaceChildren());

test("initially the last step is finished, and nothing plays", async () => {
  const host = await place();
  expect(title(host)).toBe("Step last");
  const before = host.innerHTML;
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(host.innerHTML).toBe(before);
});

test("a step with a source links to it", async () => {
  const host = await place();
  const link = host.querySelector<HTMLAnchorElement>(".qkv-figure-source")!;
  expect([link.hidden, link.textContent, link.href]).toEqual([false, "A paper", "https://example.org/paper"]);
  press(host, "Home");
  expect(link.hidden).toBe(true);
});

test("plays to the end", async () => {
  const host = await place();
  button(host, "Play").click();
  expect(title(host)).toBe("Step first");
  await expect.poll(() => button(host, "Play")).not.toBeNull();
  expect(title(host)).toBe("Step last");
});

test("keyboard: steps, first and last step, cells, and Escape", async () => {
  const host = await place();
  press(host, "ArrowLeft");
  expect(title(host)).toBe("Step middle");
  press(host, "Home");
  expect(title(host)).toBe("Step first");
  press(host, "End");
  expect(title(host)).toBe("Step last");
  const cells = [...host.querySelectorAll<SVGElement>("[data-cell]")];
  expect(cells.filter((cell) => cell.getAttribute("tabindex") === "0")).toHaveLength(1);
  cells[0]!.focus();
  press(cells[0]!, "ArrowRight");
  expect(document.activeElement).toBe(cells[1]);
  press(cells[1]!, "ArrowDown");
  expect(document.activeElement).toBe(cells[3]);
  press(cells[3]!, "Enter");
  expect(host.state).toBe("cell=cell%3A3");
  expect(cells[3]!.getAttribute("fill-opacity")).toBeNull();
  press(cells[3]!, "Escape");
  expect(host.state).toBe("");
});

test("keys do nothing before the first model", () => {
  customElements.define(
    "qkv-waiting",
    figureElement(figure, () => new Promise<number[]>(() => undefined)),
  );
  document.body.innerHTML = `<qkv-waiting><a href="#">A link that is shown first</a></qkv-waiting>`;
  const errors: unknown[] = [];
  const report = (event: ErrorEvent) => errors.push(event.error);
  window.addEventListener("error", report);
  const link = document.querySelector("qkv-waiting a")!;
  for (const key of ["ArrowRight", "End", "Escape"])
    link.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  window.removeEventListener("error", report);
  expect(errors).toEqual([]);
});

test("when the focused cell disappears, the focus stays in the figure", async () => {
  const host = await place();
  host.querySelector<SVGElement>('[data-cell="cell:3"]')!.focus();
  host.model = [7, 8];
  expect(host.querySelectorAll("[data-cell]").length).toBe(2);
  expect(document.activeElement?.getAttribute("data-cell")).toBe("cell:0");
  host.model = [];
  expect(document.activeElement?.getAttribute("aria-label")).toBe("Play");
});

test("a permalink is read, and a change of it dispatches `statechange`", async () => {
  const host = await place("step=first&amp;word=two&amp;size=3");
  await expect.poll(() => host.querySelector("[data-cell]")!.getAttribute("aria-label")).toBe("cell 0: 3");
  await expect.poll(() => title(host)).toBe("Step first");
  expect(host.state).toBe("step=first&size=3&word=two");
  const heard: string[] = [];
  host.addEventListener("statechange", () => heard.push(host.state));
  press(host, "End");
  expect(heard).toEqual(["size=3&word=two"]);
});

test("a state that the page set before the element was defined is taken over", async () => {
  const host = document.createElement("qkv-late-toy") as FigureElement<number[], Choices>;
  host.state = "step=first";
  document.body.append(host);
  customElements.define(
    "qkv-late-toy",
    figureElement(figure, async () => [1, 2, 3, 4]),
  );
  await expect.poll(() => title(host)).toBe("Step first");
  press(host, "End");
  expect(host.state).toBe("");
});

test("a choice that needs a new model asks for it; only the last answer counts", async () => {
  const host = await place();
  const answers: ((model: number[]) => void)[] = [];
  const signals: AbortSignal[] = [];
  host.ask = (_, { signal }) => {
    signals.push(signal);
    return new Promise((resolve) => answers.push(resolve));
  };
  const range = host.querySelector<HTMLInputElement>('[data-control="size"] input')!;
  for (const value of ["2", "3"]) {
    range.value = value;
    range.dispatchEvent(new Event("input", { bubbles: true }));
  }
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, false]);
  await expect.poll(() => host.querySelector('[role="status"]')!.textContent).toBe("Computing…");
  answers[2]!([30, 0, 0, 0]);
  answers[1]!([20, 0, 0, 0]);
  await expect.poll(() => host.querySelector("[data-cell]")!.getAttribute("aria-label")).toBe("cell 0: 30");
  expect(host.state).toBe("size=3");
});

test("numbers as a table, and the formula as navigation", async () => {
  const host = await place();
  const toTable = [...host.querySelectorAll("button")].find(({ textContent }) => textContent === "Table")!;
  toTable.click();
  expect(host.querySelector(".qkv-figure-table td, .qkv-figure-table tbody th")!.textContent).toBe("0");
  expect(host.querySelectorAll(".qkv-figure-table tbody tr")).toHaveLength(4);
  [...host.querySelectorAll("button")].find(({ textContent }) => textContent === "Q")!.click();
  expect(title(host)).toBe("Step first");
});

test("once the first model is drawn, the text “Computing…” is removed", async () => {
  customElements.define(
    "qkv-slow",
    figureElement(figure, () => {
      const end = performance.now() + 300;
      while (performance.now() < end); // as code that computes: no timer runs meanwhile
      return Promise.resolve([1, 2]);
    }),
  );
  document.body.innerHTML = `<qkv-slow></qkv-slow>`;
  const host = document.querySelector("qkv-slow")!;
  await expect.poll(() => host.querySelectorAll("[data-cell]").length).toBe(2);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(host.querySelector(".qkv-figure-read")!.textContent).toBe("");
});

test("an error is shown", async () => {
  document.body.innerHTML = "<qkv-toy></qkv-toy>";
  const host = document.querySelector<FigureElement<number[], Choices>>("qkv-toy")!;
  await expect.poll(() => host.querySelectorAll("[data-cell]").length).toBe(4);
  host.ask = () => Promise.reject(new Error("no numbers"));
  const range = host.querySelector<HTMLInputElement>('[data-control="size"] input')!;
  range.value = "2";
  range.dispatchEvent(new Event("input", { bubbles: true }));
  await expect.poll(() => host.querySelector('[role="alert"]')!.textContent).toBe("no numbers");
});

test("an example sets several choices; a permalink reaches controls that depend on a choice", async () => {
  type Texts = { text: string; view: string; limit: number };
  const texts: Figure<number, Texts> = {
    name: "texts",
    title: "Texts",
    caption: "A text.",
    initial: { text: "one", view: "plain", limit: 1 },
    steps: () => [step("only")],
    scene: (_, __, ___, width) => ({ width, height: 10, description: "", marks: [] }),
    controls: (_, { view }) => [
      {
        kind: "choice",
        key: "view",
        label: "View",
        options: ["plain", "cut"].map((value) => ({ value, label: value })),
      },
      {
        kind: "text",
        key: "text",
        label: "Text",
        maxLength: 9,
        examples: [{ label: "two", choices: { text: "two", view: "cut" } }],
      },
      ...(view === "cut"
        ? ([{ kind: "range", key: "limit", label: "Limit", min: 0, max: 5, step: 1 }] as const)
        : []),
    ],
    table: () => ({ columns: [], rows: [] }),
  };
  customElements.define(
    "qkv-texts",
    figureElement(texts, async () => 0),
  );
  document.body.innerHTML = `<qkv-texts style="display:block;width:700px"></qkv-texts>`;
  const host = document.querySelector<FigureElement<number, Texts>>("qkv-texts")!;
  await expect.poll(() => host.querySelector("input[type=text]")).not.toBeNull();
  const example = () =>
    [...host.querySelectorAll("button")].find(({ textContent }) => textContent === "two")!;
  expect(example().getAttribute("aria-pressed")).toBe("false");
  example().click();
  expect(host.state).toBe("text=two&view=cut");
  expect(example().getAttribute("aria-pressed")).toBe("true");
  expect(host.querySelector<HTMLInputElement>("input[type=text]")!.value).toBe("two");
  host.state = "";
  expect(host.querySelector("[data-control=limit]")).toBeNull();
  host.state = "view=cut&limit=4";
  expect(host.state).toBe("view=cut&limit=4");
});

test("a press that needs a new model goes to its step when it is drawn; its choice has no control, but a permalink", async () => {
  document.body.innerHTML = `<qkv-deep style="display:block;width:700px"></qkv-deep>`;
  const host = document.querySelector<FigureElement<number, Deep>>("qkv-deep")!;
  await expect.poll(() => host.querySelector("[data-cell]")).not.toBeNull();
  expect(host.querySelectorAll("[data-control]")).toHaveLength(1);
  host.querySelector<SVGElement>("[data-cell]")!.dispatchEvent(new MouseEvent("click", { bubbles: true }));
  await expect.poll(() => title(host)).toBe("Step 2");
  expect(host.state).toBe("depth=3&path=a");
});

test("buttons of a control press cells: choices change, and the step plays from its start", async () => {
  type Written = { letters: string };
  const writing: Figure<string, Written> = {
    ...(figure as unknown as Figure<string, Written>),
    name: "writing",
    initial: { letters: "a" },
    modelInputs: ["letters"],
    steps: (letters) => Array.from(letters, (letter, i) => step(`${i}-${letter}`)),
    scene: (letters, _, { step, progress }, width) => ({
      width,
      height: 20,
      description: letters,
      marks: [{ key: "at", kind: "text", x: 0, y: 10, text: `${step} ${progress}`, cell: "at:0:0" }],
    }),
    controls: (letters) => [
      {
        kind: "press",
        key: "letters",
        label: "Do next",
        maxLength: 9,
        buttons: [{ label: "Append b", title: "one more", cell: `append:${letters.length}:0` }],
      },
    ],
    press: (letters, _, cell) =>
      cell.startsWith("append")
        ? { choices: { letters: `${letters}b` }, step: `${letters.length}-b`, plays: true }
        : undefined,
    formula: () => [],
  };
  customElements.define(
    "qkv-writing",
    figureElement(writing, async ({ letters }) => letters),
  );
  const host = document.createElement("qkv-writing") as FigureElement<string, Written>;
  document.body.append(host);
  const group = () => host.querySelector<HTMLElement>("[role=group][aria-label='Do next']");
  await expect.poll(() => group()).not.toBeNull();
  const button = () => group()!.querySelector("button")!;
  expect(button().title).toBe("one more");
  expect(button().hasAttribute("aria-pressed")).toBe(false); // it does something, it is not chosen
  button().click();
  await expect.poll(() => host.querySelector(".qkv-figure-title")!.textContent).toBe("Step 1-b");
  expect(host.querySelector(".qkv-figure-play")!.getAttribute("aria-label")).toBe("Pause");
  await expect.poll(() => host.state).toBe("letters=ab");
  button().click();
  await expect.poll(() => host.state).toBe("letters=abb");
  expect(host.querySelector(".qkv-figure-title")!.textContent).toBe("Step 2-b");
});

// Two chapters of one name, and a mark that is read but has no address.
const told: Figure<number, Record<never, never>> = {
  name: "told",
  title: "Told",
  caption: "A square.",
  initial: {},
  steps: () => ["Look", "Write", "Look"].map((chapter, i) => ({ ...step(`${i}`), chapter })),
  scene: (_, __, ___, width) => ({
    width,
    height: 60,
    description: "A square.",
    marks: [
      {
        key: "square",
        kind: "rect",
        x: 0,
        y: 0,
        width: 20,
        height: 20,
        fill: "key",
        ariaLabel: "weight: 0.4",
      },
    ],
  }),
  controls: () => [],
  table: () => ({ columns: ["weight"], rows: [[0.4]] }),
};

async function placeTold(width: number): Promise<HTMLElement> {
  if (!customElements.get("qkv-told"))
    customElements.define(
      "qkv-told",
      figureElement(told, async () => 0),
    );
  document.body.innerHTML = `<qkv-told style="display:block;width:${width}px"></qkv-told>`;
  const host = document.querySelector<HTMLElement>("qkv-told")!;
  await expect.poll(() => host.querySelector("[aria-label='weight: 0.4']")).not.toBeNull();
  return host;
}

test("of two chapters with one name, the current one is highlighted", async () => {
  const host = await placeTold(700);
  const lit = () =>
    [...host.querySelectorAll(".qkv-figure-chapters button")].map((each) =>
      each.hasAttribute("aria-current"),
    );
  expect(lit()).toEqual([false, false, true]);
  press(host, "Home");
  expect(lit()).toEqual([true, false, false]);
});

test("a press reads any mark with a text, and the text stays", async () => {
  const host = await placeTold(360);
  host.querySelector("[aria-label='weight: 0.4']")!.dispatchEvent(new MouseEvent("click", { bubbles: true }));
  const read = host.querySelector(".qkv-figure-read")!;
  expect(read.textContent).toBe("weight: 0.4");
  expect(getComputedStyle(read).position).toBe("sticky");
});

test("the table scrolls by keyboard: its arrows are not those of the figure", async () => {
  const host = await placeTold(360);
  [...host.querySelectorAll("button")].find(({ textContent }) => textContent === "Table")!.click();
  const table = host.querySelector<HTMLElement>(".qkv-figure-table")!;
  table.focus();
  expect(document.activeElement).toBe(table);
  const before = title(host);
  press(table, "ArrowLeft");
  expect(title(host)).toBe(before);
});

test("on a phone the picture is above its controls", async () => {
  const host = await place();
  const top = (part: string) => host.querySelector(`.qkv-figure-${part}`)!.getBoundingClientRect().top;
  expect(top("controls")).toBeLessThan(top("stage"));
  host.style.width = "360px";
  await expect.poll(() => top("controls")).toBeGreaterThan(top("transport"));
  expect(top("tools")).toBeGreaterThan(top("controls"));
});
