import { saveFile, toolButton } from "../picture-tools.js";
import { animatedSvg } from "./animated-svg.js";
import type { Figure, FigureChoices } from "./figure.js";
import type { Scene } from "./mark.js";
import { controlsView, div } from "./figure-controls.js";
import type { Ask } from "./ask.js";
import type { FileIntake, GivenFiles } from "./file-intake.js";
import { addFigureStyle } from "./figure-style.js";
import { nextCell, type Direction } from "./next-cell.js";
import { fromPermalink, toPermalink } from "./permalink.js";
import { moment, player, type PlayerAction, type PlayerState } from "./player.js";
import { sceneSvg } from "./scene-svg.js";
import { sceneView } from "./scene-view.js";
import { timeline, type Timeline } from "./timeline.js";

/** A figure on a page. */
export interface FigureElement<Model, Choices> extends HTMLElement {
  /** The numbers. Set them, or `ask`. */
  model: Model | undefined;
  /** Makes the numbers, when the element enters the page and when choices change that need others. */
  ask: Ask<Model, Choices> | undefined;
  /** Place in the story and choices, as in an address. A `statechange` event tells of each change. */
  state: string;
}

/**
 * Makes the class of a custom element that shows a figure: the stage, its controls, play and steps, the keyboard, a table
 * and saving. Children that stand in it, as a still of `figureSvg`, are seen until it has numbers.
 *
 * Space plays, the left and right arrows step, Home and End go to either end, Escape lets go of a cell; inside the
 * picture, arrows go from cell to cell and Enter presses one. On touch, a swipe steps. Nothing moves by itself, and for
 * readers who want no motion each step is a still.
 *
 * @param ask - Makes the numbers. Default: the page sets `model` or `ask` of the element.
 * @param options - `intake`: how the figure draws files that the reader drops on it, or chooses. Default: it takes none.
 *
 * @example
 * ```ts
 * import { figureElement, type Figure } from "@qkv/viz/figures";
 *
 * declare const dots: Figure<number, { color: string }>;
 * if (typeof customElements !== "undefined") {
 *   customElements.define("qkv-dots", figureElement(dots, async ({ color }) => color.length));
 * }
 * // <qkv-dots state="color=key"></qkv-dots>
 * ```
 */
export function figureElement<Model, Choices extends FigureChoices>(
  figure: Figure<Model, Choices>,
  ask?: Ask<Model, Choices>,
  { intake }: { intake?: FileIntake<Model, Choices> } = {},
): { new (): FigureElement<Model, Choices> } {
  return class extends HTMLElement {
    static observedAttributes = ["state"];
    #model: Model | undefined;
    #ask = ask;
    #wanted = "";
    #shown: Shown<Model, Choices> | undefined;

    get model(): Model | undefined {
      return this.#model;
    }
    set model(model: Model | undefined) {
      this.#model = model;
      this.#start();
    }
    get ask(): Ask<Model, Choices> | undefined {
      return this.#ask;
    }
    set ask(ask: Ask<Model, Choices> | undefined) {
      this.#ask = ask;
      this.#start();
    }
    get state(): string {
      return this.#shown?.permalink() ?? this.#wanted;
    }
    set state(text: string) {
      this.#wanted = text;
      this.#shown?.go(text);
    }

    attributeChangedCallback(_: string, __: string | null, text: string | null): void {
      this.state = text ?? "";
    }
    connectedCallback(): void {
      // A page may have set these before the element was defined.
      for (const name of ["model", "ask", "state"] as const) {
        if (!Object.hasOwn(this, name)) continue;
        const value = this[name];
        Reflect.deleteProperty(this, name);
        Object.assign(this, { [name]: value });
      }
      this.#start();
    }
    disconnectedCallback(): void {
      this.#shown?.end();
      this.#shown = undefined;
    }

    #start(): void {
      if (!this.isConnected) return;
      if (this.#shown) return this.#shown.renew(this.#model, this.#ask);
      if (this.#model === undefined && !this.#ask) return;
      this.#shown = show(this, figure, { model: this.#model, ask: this.#ask, intake }, this.#wanted);
    }
  };
}

type Shown<Model, Choices> = {
  permalink(): string;
  go(text: string): void;
  renew(model: Model | undefined, ask: Ask<Model, Choices> | undefined): void;
  end(): void;
};

/** Sources of the numbers of a figure. */
type Source<Model, Choices extends FigureChoices> = {
  model: Model | undefined;
  ask: Ask<Model, Choices> | undefined;
  intake: FileIntake<Model, Choices> | undefined;
};

const icons = {
  back: "M5 4h2v12H5zM16 4v12L8 10z",
  play: "M6.5 4l10 6-10 6z",
  pause: "M5 4h3.6v12H5zM11.4 4H15v12h-3.6z",
  next: "M13 4h2v12h-2zM4 4v12l8-6z",
};
const speeds = [0.5, 1, 2, 4];
const steepest = 40; // pixels that a finger moves before it is a swipe

/** Everything that one element on the page does, from its first numbers on. */
function show<Model, Choices extends FigureChoices>(
  host: HTMLElement,
  figure: Figure<Model, Choices>,
  { model: given, ask: own, intake }: Source<Model, Choices>,
  wanted: string,
): Shown<Model, Choices> {
  const { start, reduce } = player(figure);
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const leaves = new AbortController();
  const on = <K extends keyof HTMLElementEventMap>(
    target: EventTarget,
    name: K | (string & {}),
    hear: (event: HTMLElementEventMap[K]) => void,
  ) => target.addEventListener(name, hear as EventListener, { signal: leaves.signal });

  addFigureStyle(host);
  const parts = makeParts(figure);
  const view = sceneView(parts.stage);
  const controls = controlsView<Choices>((choices) => void change(choices), press);
  parts.head.after(controls.element);

  let state: PlayerState<Model, Choices> | undefined;
  let hover: string | undefined;
  let roving: string | undefined;
  let scene: Scene | undefined;
  let line: Timeline | undefined;
  let width = 0;
  let scrubWidth = 0; // of the scrubber, once the page is laid out
  let clock = 0;
  let before = 0;
  let told = "";
  let spoken = "";
  let pending: Partial<Choices> = {};
  let asking: AbortController | undefined;
  let asker = own; // that of the page, or of the reader's files
  let opening: AbortController | undefined;

  function act(action: PlayerAction<Model, Choices>): void {
    if (!state) return;
    if (action.type !== "tick") hover = undefined;
    state = reduce(state, action);
    paint();
  }

  function paint(): void {
    if (!state || width === 0) return;
    if (state.playing !== "no" && !clock) {
      before = performance.now();
      clock = requestAnimationFrame(frame);
    }
    const now = moment(state);
    const focus = hover ?? now.focus;
    scene = figure.scene(state.model, state.choices, focus === undefined ? now : { ...now, focus }, width);
    const focused = (host.getRootNode() as Document | ShadowRoot).activeElement;
    const inside = parts.stage.contains(focused);
    view.draw(scene);
    parts.say.toggleAttribute("data-aside", scene.aside !== undefined);
    parts.say.style.width = scene.aside === undefined ? "" : `${scene.aside}px`;
    const first = scene.marks.find(({ cell, opacity = 1 }) => cell !== undefined && opacity >= 0.05)?.cell;
    if (roving === undefined || !view.cell(roving)) roving = first;
    if (roving !== undefined) view.cell(roving)?.setAttribute("tabindex", "0");
    say();
    // The focus of a cell that went stays in the figure, whose keys it brings.
    if (inside && !parts.stage.contains(focused)) {
      const cell = state.playing === "no" && roving !== undefined ? view.cell(roving) : undefined;
      (cell ?? parts.play).focus();
    }
  }

  /** Writes what stands around the stage, where it changed. */
  function say(): void {
    if (!state || !scene) return;
    const { model, choices, step, progress, playing } = state;
    const steps = figure.steps(model, choices);
    const { id, title, text, chapter, source } = steps[step]!;
    line ??= timeline(steps, scrubWidth || width);
    if (document.activeElement !== parts.range || playing !== "no")
      parts.range.value = String(line.place(step, moment(state).progress));
    const now = JSON.stringify([id, steps.length, choices, pending, playing, state.speed, width, scrubWidth]);
    if (now === spoken) return tell();
    spoken = now;
    line = timeline(steps, scrubWidth || width);
    parts.range.value = String(line.place(step, progress));
    parts.range.setAttribute("aria-valuetext", `Step ${step + 1} of ${steps.length}: ${title}`);
    if (parts.title.textContent !== title) parts.title.textContent = title;
    if (parts.text.textContent !== text) parts.text.textContent = text;
    parts.source.hidden = source === undefined;
    if (source && parts.source.href !== source.url) {
      parts.source.href = source.url;
      parts.source.textContent = source.text;
    }
    parts.say.setAttribute("aria-live", playing === "no" ? "polite" : "off");
    parts.stage.setAttribute("aria-label", `${figure.title}. ${scene.description}`);
    parts.play.setAttribute("aria-label", playing === "no" ? "Play" : "Pause");
    parts.play.querySelector("path")!.setAttribute("d", icons[playing === "no" ? "play" : "pause"]);
    parts.count.textContent = `Step ${step + 1} of ${steps.length} · ${chapter}`;
    controls.show(figure.controls(model, choices), { ...choices, ...pending });
    parts.chapters.replaceChildren(
      ...line.chapters.map(({ name, first, count, from }) => {
        const button = toolButton(name, () => act({ type: "seek", step: first }));
        button.style.left = `${100 * from}%`;
        button.tabIndex = -1; // the range beside it goes there too
        if (step >= first && step < first + count) button.setAttribute("aria-current", "step");
        return button;
      }),
    );
    const formula = figure.formula?.(model, choices) ?? [];
    parts.formula.hidden = formula.length === 0;
    if (parts.formula.children.length !== formula.length) {
      parts.formula.replaceChildren(
        ...formula.map(({ text, step, color }) => {
          const button = toolButton(text, () => act({ type: "seek", step }));
          if (color) button.style.color = `var(--qkv-${color})`;
          return button;
        }),
      );
    }
    formula.forEach(({ lights }, i) => {
      const lit = lights.includes(id) || lights.includes(chapter);
      if (lit) parts.formula.children[i]!.setAttribute("aria-current", "step");
      else parts.formula.children[i]!.removeAttribute("aria-current");
    });
    if (!parts.table.hidden) fillTable();
    tell();
  }

  /** Tells the page of another place or another choice, once it rests. */
  function tell(): void {
    if (!state || state.playing !== "no") return;
    const text = toPermalink(figure, state);
    if (text === told) return;
    told = text;
    host.dispatchEvent(new Event("statechange", { bubbles: true }));
  }

  function frame(time: number): void {
    clock = 0;
    const milliseconds = Math.min(100, Math.max(0, time - before));
    before = time;
    act({ type: "tick", milliseconds });
  }

  /** Changes choices. Resolves when the numbers that they need are shown. */
  async function change(choices: Partial<Choices>): Promise<void> {
    if (!state) return;
    pending = { ...pending, ...choices };
    if (!asker || !Object.keys(pending).some((name) => figure.asks?.includes(name))) {
      pending = {};
      return act({ type: "choose", choices });
    }
    controls.show(figure.controls(state.model, state.choices), { ...state.choices, ...pending });
    await answer({ ...state.choices, ...pending });
  }

  /** Asks for numbers, and shows them unless others were asked for meanwhile. */
  async function answer(choices: Choices): Promise<void> {
    asking?.abort();
    const mine = (asking = new AbortController());
    const waits = setTimeout(() => read("Computing…", false), 200);
    try {
      const model = await asker!(choices, { signal: mine.signal, host });
      // The first picture is as long a task as its numbers: the page answers between them.
      if (!state) await new Promise((resolve) => setTimeout(resolve));
      if (mine.signal.aborted || leaves.signal.aborted) return;
      pending = {};
      read("", false);
      if (state) act({ type: "model", model, choices });
      else begin(model, choices);
    } catch (error) {
      if (!mine.signal.aborted) read(error instanceof Error ? error.message : String(error), true);
    } finally {
      clearTimeout(waits);
    }
  }

  /** Draws the reader's files, or the figure's own numbers again. What is refused leaves the picture as it was. */
  async function take(given: GivenFiles | undefined): Promise<void> {
    if (!intake || !state) return;
    opening?.abort();
    const mine = (opening = new AbortController());
    const choices = { ...state.choices, ...intake.reset };
    intakeLine?.say(given ? `Reading ${given.name}…` : "", given ? "waiting" : "own");
    try {
      const options = { name: given?.name ?? "", signal: mine.signal, host };
      const ask = given ? await intake.open(given.files, options) : own;
      const model = await ask?.(choices, { signal: mine.signal, host });
      if (model === undefined || mine.signal.aborted || leaves.signal.aborted) return;
      asking?.abort();
      pending = {};
      asker = ask;
      act({ type: "model", model, choices });
      if (given) intakeLine?.say(`Drawn: ${given.name}, read on your device.`, "given");
    } catch (error) {
      if (!mine.signal.aborted)
        intakeLine?.say(
          `${given?.name ?? intake.own} was not drawn. ${error instanceof Error ? error.message : String(error)}`,
          "refused",
        );
    }
  }

  function begin(model: Model, choices: Partial<Choices>): void {
    state = reduce(start(model, choices), { type: "still", still: calm.matches });
    host.classList.add("qkv-figure");
    width = widthOf(host); // before its content changes: the page need not be laid out for it
    host.replaceChildren(parts.all);
    told = toPermalink(figure, state);
    watch.observe(host);
    watch.observe(parts.scrub);
    paint();
    if (wanted) go(wanted);
  }

  /** Goes where an address says. */
  function go(text: string): void {
    wanted = text;
    if (!state || text === toPermalink(figure, state)) return;
    const { model } = state;
    const linkOf = (choices: Choices) => fromPermalink(text, figure.initial, figure.controls(model, choices));
    // A choice may bring controls of its own: they are read once it is known.
    let link = linkOf(state.choices);
    for (let known = -1; known < Object.keys(link.choices).length;) {
      known = Object.keys(link.choices).length;
      link = linkOf({ ...figure.initial, ...link.choices });
    }
    const choices = { ...figure.initial, ...link.choices };
    const land = () => {
      const { step, progress, focus } = link;
      const opened = start(state!.model, state!.choices);
      act({ type: "seek", step: step ?? opened.step, ...(progress !== undefined && { progress }) });
      if (focus !== undefined) act({ type: "focus", cell: focus });
    };
    const current = state.choices;
    if (asker && figure.asks?.some((name) => choices[name] !== current[name]))
      void answer(choices).then(land);
    else {
      act({ type: "choose", choices });
      land();
    }
  }

  function read(text: string, failed: boolean): void {
    parts.read.setAttribute("role", failed ? "alert" : "status");
    parts.read.textContent = text;
    // Without its first numbers there is nothing else to show.
    if (!state && failed) host.replaceChildren(parts.read);
  }

  function fillTable(): void {
    if (!state) return;
    const { columns, rows } = figure.table(state.model, state.choices, state.step);
    parts.table.replaceChildren(tableOf(columns, rows, parts.title.textContent ?? ""));
  }

  function press(address: string): void {
    if (!state) return;
    const outcome = figure.press?.(state.model, state.choices, address);
    if (outcome) {
      const { choices, step, plays = false } = outcome;
      const land = () => {
        if (step === undefined) return;
        act({ type: "seek", step, progress: plays ? 0 : 1 });
        if (plays) act({ type: "next" });
      };
      // A step of other numbers is there when they are.
      if (choices) void change(choices).then(land);
      else land();
    } else act({ type: "focus", cell: state.focus === address ? undefined : address });
  }

  const addressOf = (target: EventTarget | null) =>
    target instanceof Element
      ? (target.closest("[data-cell]")?.getAttribute("data-cell") ?? undefined)
      : undefined;
  const readAt = (target: EventTarget | null) =>
    target instanceof Element
      ? (target.closest("[aria-label]:not(svg)")?.getAttribute("aria-label") ?? "")
      : "";

  function point(address: string | undefined): void {
    if (hover === address || !state || state.playing !== "no") return;
    hover = address;
    paint();
  }

  on(parts.play, "click", () => act({ type: "toggle" }));
  on(parts.back, "click", () => act({ type: "back" }));
  on(parts.next, "click", () => act({ type: "next" }));
  on(parts.range, "input", () => act({ type: "seek", ...line!.moment(Number(parts.range.value)) }));
  on(parts.speed, "change", () => act({ type: "speed", speed: speeds[parts.speed.selectedIndex]! }));
  on(parts.stage, "pointerover", ({ target, pointerType }: PointerEvent) => {
    if (pointerType === "touch") return;
    if (asking === undefined || Object.keys(pending).length === 0) read(readAt(target), false);
    point(addressOf(target));
  });
  on(parts.stage, "pointerleave", () => {
    read("", false);
    point(undefined);
  });
  on(parts.stage, "click", ({ target }) => {
    const address = addressOf(target);
    read(readAt(target), false);
    if (address === undefined) act({ type: "focus", cell: undefined });
    else press(address);
  });
  on(parts.stage, "focusin", ({ target }) => {
    const address = addressOf(target);
    if (address === undefined || !(target as Element).matches(":focus-visible")) return;
    if (roving !== undefined && roving !== address) view.cell(roving)?.setAttribute("tabindex", "-1");
    roving = address;
    read(readAt(target), false);
    point(address);
  });
  on(parts.stage, "focusout", () => point(undefined));
  let touch: { x: number; y: number } | undefined;
  on(parts.stage, "pointerdown", (event: PointerEvent) => {
    touch = event.pointerType === "touch" ? { x: event.clientX, y: event.clientY } : undefined;
  });
  on(parts.stage, "pointerup", (event: PointerEvent) => {
    const across = touch ? event.clientX - touch.x : 0;
    if (touch && Math.abs(across) > steepest && Math.abs(event.clientY - touch.y) < steepest) {
      act({ type: across < 0 ? "next" : "back" });
    }
    touch = undefined;
  });
  on(host, "keydown", (event) => {
    const { key, target } = event;
    if (event.altKey || event.ctrlKey || event.metaKey || !(target instanceof Element)) return;
    const typed = target.matches("input,select,textarea,.qkv-figure-table");
    if (key === "Escape") act({ type: "focus", cell: undefined });
    if (typed) return;
    const address = addressOf(target);
    const direction = (
      { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down" } as Record<
        string,
        Direction
      >
    )[key];
    if (address !== undefined && scene) {
      if (direction) {
        event.preventDefault();
        const to = nextCell(scene, address, direction);
        if (to !== undefined) view.cell(to)?.focus();
        return;
      }
      if (key === "Enter") return press(address);
    }
    const action = keyAction(
      key,
      target.matches("button"),
      figure.steps(state!.model, state!.choices).length,
    );
    if (!action) return;
    event.preventDefault();
    act(action);
  });
  on(calm, "change", () => act({ type: "still", still: calm.matches }));
  const watch = new ResizeObserver(() => {
    const [next, along] = [widthOf(host), parts.scrub.clientWidth];
    if (next === width && along === scrubWidth) return;
    const wider = next !== width;
    [width, scrubWidth] = [next, along];
    line = undefined;
    if (wider) paint();
    else say();
  });

  const intakeLine = intake && intake.view(host, leaves.signal, (given) => void take(given));
  if (intakeLine) parts.tools.after(intakeLine.element);
  parts.tools.append(
    tableButton(parts.table, fillTable),
    toolButton("Save as SVG", () => {
      if (scene) saveFile(svgFile(sceneSvg(scene, figure.title)), "svg", figure.name);
    }),
    toolButton("Save as animated SVG", () => {
      if (!state) return;
      const { model, choices } = state;
      saveFile(svgFile(animatedSvg(figure, model, { choices, width })), "svg", `${figure.name}-animated`);
    }),
  );

  if (given !== undefined) begin(given, {});
  else void answer(figure.initial);

  return {
    permalink: () => (state ? toPermalink(figure, state) : wanted),
    go,
    renew(model, ask) {
      if (ask !== own) {
        own = asker = ask;
        if (ask && model === undefined) void answer(state?.choices ?? figure.initial);
      }
      if (model === undefined) return;
      if (state) act({ type: "model", model });
      else begin(model, {});
    },
    end() {
      asking?.abort();
      opening?.abort();
      leaves.abort();
      watch.disconnect();
      cancelAnimationFrame(clock);
    },
  };
}

/** Keys of the whole figure. Space and Enter on a button press that button. */
function keyAction(key: string, button: boolean, steps: number) {
  switch (key) {
    case " ":
      return button ? undefined : ({ type: "toggle" } as const);
    case "ArrowRight":
      return { type: "next" } as const;
    case "ArrowLeft":
      return { type: "back" } as const;
    case "Home":
      return { type: "seek", step: 0 } as const;
    case "End":
      return { type: "seek", step: steps - 1 } as const;
  }
  return undefined;
}

/** Width of the scene in a host, from 320 to 1280. */
const widthOf = (host: HTMLElement) => Math.min(1280, Math.max(320, Math.floor(host.clientWidth)));

const svgFile = (text: string) => new Blob([text], { type: "image/svg+xml" });

function makeParts<Model, Choices extends FigureChoices>(figure: Figure<Model, Choices>) {
  const head = div("head");
  const name = document.createElement("p");
  name.className = "qkv-figure-name";
  name.textContent = figure.title;
  const formula = div("formula");
  formula.setAttribute("role", "group");
  formula.setAttribute("aria-label", "Formula: each part links to its step");
  head.append(name, formula);

  const say = div("say");
  const title = document.createElement("p");
  title.className = "qkv-figure-title";
  const text = document.createElement("p");
  const source = document.createElement("a");
  source.className = "qkv-figure-source";
  say.append(title, text, source);

  const stage = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  stage.setAttribute("class", "qkv-figure-stage");
  stage.setAttribute("role", "group");
  const read = div("read");
  read.setAttribute("role", "status");

  const transport = div("transport");
  const keys = div("keys");
  const [back, play, next] = (["back", "play", "next"] as const).map((icon) => {
    const button = toolButton("", () => {});
    button.className = `qkv-figure-${icon}`;
    button.setAttribute("aria-label", { back: "Step back", play: "Play", next: "Step forward" }[icon]);
    const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    picture.setAttribute("viewBox", "0 0 20 20");
    picture.setAttribute("aria-hidden", "true");
    const path = picture.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "path"));
    path.setAttribute("d", icons[icon]);
    button.append(picture);
    return button;
  }) as [HTMLButtonElement, HTMLButtonElement, HTMLButtonElement];
  keys.append(back, play, next);
  const scrub = div("scrub");
  const chapters = div("chapters");
  const count = div("count");
  const range = Object.assign(document.createElement("input"), {
    type: "range",
    min: "0",
    max: "1",
    step: "0.001",
  });
  range.setAttribute("aria-label", "Steps");
  scrub.append(chapters, count, range);
  const speed = document.createElement("select");
  speed.setAttribute("aria-label", "Speed");
  speed.append(...speeds.map((each) => new Option(`${each}×`, String(each), each === 1, each === 1)));
  keys.append(speed);
  transport.append(keys, scrub);

  const tools = div("tools");
  const caption = document.createElement("p");
  caption.textContent = figure.caption;
  tools.append(caption);
  const table = div("table");
  table.hidden = true;
  // It scrolls where it is wider than the figure, by keyboard too.
  table.tabIndex = 0;
  table.setAttribute("role", "region");
  table.setAttribute("aria-label", "Numbers of this step");
  const all = div("all");
  const place = div("scene");
  place.append(say, stage);
  all.append(head, place, read, transport, tools, table);
  return {
    all,
    head,
    formula,
    say,
    title,
    text,
    source,
    stage,
    read,
    back,
    play,
    next,
    scrub,
    chapters,
    count,
    range,
    speed,
    tools,
    table,
  };
}

function tableButton(table: HTMLElement, fill: () => void): HTMLButtonElement {
  const button = toolButton("Table", () => {
    table.hidden = !table.hidden;
    button.setAttribute("aria-expanded", String(!table.hidden));
    if (!table.hidden) fill();
  });
  button.setAttribute("aria-expanded", "false");
  return button;
}

function tableOf(
  columns: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  caption: string,
): HTMLTableElement {
  const table = document.createElement("table");
  table.createCaption().textContent = caption;
  const head = table.createTHead().insertRow();
  const cellOf = (text: string | number, scope?: "col" | "row") => {
    const cell = document.createElement(scope ? "th" : "td");
    if (scope) cell.setAttribute("scope", scope);
    cell.textContent = String(text);
    return cell;
  };
  head.append(...columns.map((column) => cellOf(column, "col")));
  const body = table.createTBody();
  for (const row of rows)
    body.insertRow().append(...row.map((text, i) => cellOf(text, i === 0 ? "row" : undefined)));
  return table;
}
