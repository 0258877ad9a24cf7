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
  /** The model, whose numbers are drawn. Set it, or `ask`. */
  model: Model | undefined;
  /** Computes the model, when the element is connected and when choices change that need another one. */
  ask: Ask<Model, Choices> | undefined;
  /** Step, focused cell and choices, as in a permalink: `step=score-2&token=3`. Each change dispatches `statechange`. */
  state: string;
}

/**
 * Returns the class of a custom element that shows a figure: the picture, its controls, buttons to play and step, the
 * keyboard, a table and saving. Its children, such as the SVG of `figureSvg`, are shown until it has a model.
 *
 * Space plays, the left and right arrows step, Home and End go to the first and last step, Escape removes the focus of a
 * cell; inside the picture, arrows go from cell to cell and Enter presses one. A swipe steps. Nothing plays by itself, and
 * with `prefers-reduced-motion` each step is shown finished.
 *
 * @param ask - Computes the model. Default: the page sets `model` or `ask` of the element.
 * @param options - `intake`: files that the reader may drop on the figure or choose, as `fileIntake` returns it. Default: none.
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
    #initialLink = "";
    #mounted: MountedFigure<Model, Choices> | undefined;

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
      return this.#mounted?.permalink() ?? this.#initialLink;
    }
    set state(text: string) {
      this.#initialLink = text;
      this.#mounted?.go(text);
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
      this.#mounted?.unmount();
      this.#mounted = undefined;
    }

    #start(): void {
      if (!this.isConnected) return;
      if (this.#mounted) return this.#mounted.update(this.#model, this.#ask);
      if (this.#model === undefined && !this.#ask) return;
      this.#mounted = mountFigure(
        this,
        figure,
        { model: this.#model, ask: this.#ask, intake },
        this.#initialLink,
      );
    }
  };
}

type MountedFigure<Model, Choices> = {
  permalink(): string;
  go(text: string): void;
  update(model: Model | undefined, ask: Ask<Model, Choices> | undefined): void;
  unmount(): void;
};

/** Sources of the model of a figure. */
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
const minSwipe = 40; // pixels: a shorter movement of the finger is no swipe

/** Puts a figure into its element, and connects the state machine with controls, pointer, keyboard and resizing. */
function mountFigure<Model, Choices extends FigureChoices>(
  host: HTMLElement,
  figure: Figure<Model, Choices>,
  { model: given, ask: pageAsk, intake }: Source<Model, Choices>,
  initialLink: string,
): MountedFigure<Model, Choices> {
  const { start, reduce } = player(figure);
  const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
  const unmounted = new AbortController();
  const on = <K extends keyof HTMLElementEventMap>(
    target: EventTarget,
    name: K | (string & {}),
    listener: (event: HTMLElementEventMap[K]) => void,
  ) => target.addEventListener(name, listener as EventListener, { signal: unmounted.signal });

  addFigureStyle(host);
  const parts = makeParts(figure);
  const view = sceneView(parts.stage);
  const controls = controlsView<Choices>((choices) => void change(choices), press);
  parts.head.after(controls.element);

  let state: PlayerState<Model, Choices> | undefined;
  let hover: string | undefined;
  let roving: string | undefined; // the cell with tabindex 0: a roving tabindex
  let scene: Scene | undefined;
  let line: Timeline | undefined;
  let width = 0;
  let scrubWidth = 0; // of the scrubber, once the page is laid out
  let frameRequest = 0;
  let lastFrameTime = 0;
  let announcedLink = "";
  let writtenFor = "";
  let pending: Partial<Choices> = {};
  let modelRequest: AbortController | undefined;
  let currentAsk = pageAsk; // `ask` of the page, or of the reader's files
  let filesRequest: AbortController | undefined;

  function dispatch(action: PlayerAction<Model, Choices>): void {
    if (!state) return;
    if (action.type !== "tick") hover = undefined;
    state = reduce(state, action);
    paint();
  }

  function paint(): void {
    if (!state || width === 0) return;
    if (state.playing !== "no" && !frameRequest) {
      lastFrameTime = performance.now();
      frameRequest = requestAnimationFrame(frame);
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
    writeStep();
    // If the focused cell is gone, another element of the figure gets the focus, so that its keys still work.
    if (inside && !parts.stage.contains(focused)) {
      const cell = state.playing === "no" && roving !== undefined ? view.cell(roving) : undefined;
      (cell ?? parts.play).focus();
    }
  }

  /** Writes the text, scrubber, formula and controls of the current step, unless none of them changed. */
  function writeStep(): void {
    if (!state || !scene) return;
    const { model, choices, step, progress, playing } = state;
    const steps = figure.steps(model, choices);
    const { id, title, text, chapter, source } = steps[step]!;
    line ??= timeline(steps, scrubWidth || width);
    if (document.activeElement !== parts.range || playing !== "no")
      parts.range.value = String(line.place(step, moment(state).progress));
    const now = JSON.stringify([id, steps.length, choices, pending, playing, state.speed, width, scrubWidth]);
    if (now === writtenFor) return announceLink();
    writtenFor = now;
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
        const button = toolButton(name, () => dispatch({ type: "seek", step: first }));
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
          const button = toolButton(text, () => dispatch({ type: "seek", step }));
          if (color) button.style.color = `var(--qkv-${color})`;
          return button;
        }),
      );
    }
    formula.forEach(({ activeSteps }, i) => {
      const lit = activeSteps.includes(id) || activeSteps.includes(chapter);
      if (lit) parts.formula.children[i]!.setAttribute("aria-current", "step");
      else parts.formula.children[i]!.removeAttribute("aria-current");
    });
    if (!parts.table.hidden) fillTable();
    announceLink();
  }

  /** Dispatches `statechange` when the permalink has changed and nothing plays. */
  function announceLink(): void {
    if (!state || state.playing !== "no") return;
    const text = toPermalink(figure, state);
    if (text === announcedLink) return;
    announcedLink = text;
    host.dispatchEvent(new Event("statechange", { bubbles: true }));
  }

  function frame(time: number): void {
    frameRequest = 0;
    const milliseconds = Math.min(100, Math.max(0, time - lastFrameTime));
    lastFrameTime = time;
    dispatch({ type: "tick", milliseconds });
  }

  /** Changes choices. Resolves when the model that they need is shown. */
  async function change(choices: Partial<Choices>): Promise<void> {
    if (!state) return;
    pending = { ...pending, ...choices };
    if (!currentAsk || !Object.keys(pending).some((name) => figure.modelInputs?.includes(name))) {
      pending = {};
      return dispatch({ type: "choose", choices });
    }
    controls.show(figure.controls(state.model, state.choices), { ...state.choices, ...pending });
    await answer({ ...state.choices, ...pending });
  }

  /** Asks for a model and shows it, unless another one was requested in the meantime. */
  async function answer(choices: Choices): Promise<void> {
    modelRequest?.abort();
    const request = (modelRequest = new AbortController());
    const busyTimer = setTimeout(() => showReading("Computing…", false), 200);
    try {
      const model = await currentAsk!(choices, { signal: request.signal, host });
      // Drawing the first picture takes as long as computing its model: in between, the page handles events.
      if (!state) await new Promise((resolve) => setTimeout(resolve));
      if (request.signal.aborted || unmounted.signal.aborted) return;
      pending = {};
      showReading("", false);
      if (state) dispatch({ type: "model", model, choices });
      else begin(model, choices);
    } catch (error) {
      if (!request.signal.aborted) showReading(error instanceof Error ? error.message : String(error), true);
    } finally {
      clearTimeout(busyTimer);
    }
  }

  /** Draws the reader's files, or the figure's own model again. If the files are refused, the picture stays. */
  async function drawFiles(given: GivenFiles | undefined): Promise<void> {
    if (!intake || !state) return;
    filesRequest?.abort();
    const request = (filesRequest = new AbortController());
    const choices = { ...state.choices, ...intake.reset };
    intakeLine?.say(given ? `Reading ${given.name}…` : "", given ? "waiting" : "own");
    try {
      const options = { name: given?.name ?? "", signal: request.signal, host };
      const ask = given ? await intake.open(given.files, options) : pageAsk;
      const model = await ask?.(choices, { signal: request.signal, host });
      if (model === undefined || request.signal.aborted || unmounted.signal.aborted) return;
      modelRequest?.abort();
      pending = {};
      currentAsk = ask;
      dispatch({ type: "model", model, choices });
      if (given) intakeLine?.say(`Drawn: ${given.name}, read on your device.`, "given");
    } catch (error) {
      if (!request.signal.aborted)
        intakeLine?.say(
          `${given?.name ?? intake.own} was not drawn. ${error instanceof Error ? error.message : String(error)}`,
          "refused",
        );
    }
  }

  function begin(model: Model, choices: Partial<Choices>): void {
    state = reduce(start(model, choices), { type: "still", still: reducedMotion.matches });
    host.classList.add("qkv-figure");
    width = sceneWidth(host); // before its content changes: the page need not be laid out for it
    host.replaceChildren(parts.all);
    announcedLink = toPermalink(figure, state);
    resizeObserver.observe(host);
    resizeObserver.observe(parts.scrub);
    paint();
    if (initialLink) go(initialLink);
  }

  /** Goes to the step, the cell and the choices of a permalink. */
  function go(text: string): void {
    initialLink = text;
    if (!state || text === toPermalink(figure, state)) return;
    const { model } = state;
    const parseLink = (choices: Choices) =>
      fromPermalink(text, figure.initial, figure.controls(model, choices));
    // A choice may add controls, whose choices can be read only after it: repeat until no choice is added.
    let link = parseLink(state.choices);
    for (let known = -1; known < Object.keys(link.choices).length;) {
      known = Object.keys(link.choices).length;
      link = parseLink({ ...figure.initial, ...link.choices });
    }
    const choices = { ...figure.initial, ...link.choices };
    const goToLink = () => {
      const { step, progress, focus } = link;
      const opened = start(state!.model, state!.choices);
      dispatch({ type: "seek", step: step ?? opened.step, ...(progress !== undefined && { progress }) });
      if (focus !== undefined) dispatch({ type: "focus", cell: focus });
    };
    const current = state.choices;
    if (currentAsk && figure.modelInputs?.some((name) => choices[name] !== current[name]))
      void answer(choices).then(goToLink);
    else {
      dispatch({ type: "choose", choices });
      goToLink();
    }
  }

  function showReading(text: string, failed: boolean): void {
    parts.read.setAttribute("role", failed ? "alert" : "status");
    parts.read.textContent = text;
    // Without a first model there is nothing else to show.
    if (!state && failed) host.replaceChildren(parts.read);
  }

  function fillTable(): void {
    if (!state) return;
    const { columns, rows } = figure.table(state.model, state.choices, state.step);
    parts.table.replaceChildren(tableElement(columns, rows, parts.title.textContent ?? ""));
  }

  function press(address: string): void {
    if (!state) return;
    const outcome = figure.press?.(state.model, state.choices, address);
    if (outcome) {
      const { choices, step, plays = false } = outcome;
      const goToStep = () => {
        if (step === undefined) return;
        dispatch({ type: "seek", step, progress: plays ? 0 : 1 });
        if (plays) dispatch({ type: "next" });
      };
      // The step may exist only in the new model.
      if (choices) void change(choices).then(goToStep);
      else goToStep();
    } else dispatch({ type: "focus", cell: state.focus === address ? undefined : address });
  }

  const cellAddress = (target: EventTarget | null) =>
    target instanceof Element
      ? (target.closest("[data-cell]")?.getAttribute("data-cell") ?? undefined)
      : undefined;
  const readingAt = (target: EventTarget | null) =>
    target instanceof Element
      ? (target.closest("[aria-label]:not(svg)")?.getAttribute("aria-label") ?? "")
      : "";

  function point(address: string | undefined): void {
    if (hover === address || !state || state.playing !== "no") return;
    hover = address;
    paint();
  }

  on(parts.play, "click", () => dispatch({ type: "toggle" }));
  on(parts.back, "click", () => dispatch({ type: "back" }));
  on(parts.next, "click", () => dispatch({ type: "next" }));
  on(parts.range, "input", () => dispatch({ type: "seek", ...line!.moment(Number(parts.range.value)) }));
  on(parts.speed, "change", () => dispatch({ type: "speed", speed: speeds[parts.speed.selectedIndex]! }));
  on(parts.stage, "pointerover", ({ target, pointerType }: PointerEvent) => {
    if (pointerType === "touch") return;
    if (modelRequest === undefined || Object.keys(pending).length === 0)
      showReading(readingAt(target), false);
    point(cellAddress(target));
  });
  on(parts.stage, "pointerleave", () => {
    showReading("", false);
    point(undefined);
  });
  on(parts.stage, "click", ({ target }) => {
    const address = cellAddress(target);
    showReading(readingAt(target), false);
    if (address === undefined) dispatch({ type: "focus", cell: undefined });
    else press(address);
  });
  on(parts.stage, "focusin", ({ target }) => {
    const address = cellAddress(target);
    if (address === undefined || !(target as Element).matches(":focus-visible")) return;
    if (roving !== undefined && roving !== address) view.cell(roving)?.setAttribute("tabindex", "-1");
    roving = address;
    showReading(readingAt(target), false);
    point(address);
  });
  on(parts.stage, "focusout", () => point(undefined));
  let touch: { x: number; y: number } | undefined;
  on(parts.stage, "pointerdown", (event: PointerEvent) => {
    touch = event.pointerType === "touch" ? { x: event.clientX, y: event.clientY } : undefined;
  });
  on(parts.stage, "pointerup", (event: PointerEvent) => {
    const across = touch ? event.clientX - touch.x : 0;
    if (touch && Math.abs(across) > minSwipe && Math.abs(event.clientY - touch.y) < minSwipe) {
      dispatch({ type: across < 0 ? "next" : "back" });
    }
    touch = undefined;
  });
  on(host, "keydown", (event) => {
    const { key, target } = event;
    if (event.altKey || event.ctrlKey || event.metaKey || !(target instanceof Element)) return;
    const handlesKeys = target.matches("input,select,textarea,.qkv-figure-table");
    if (key === "Escape") dispatch({ type: "focus", cell: undefined });
    if (handlesKeys || !state) return;
    const address = cellAddress(target);
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
    const action = keyAction(key, target.matches("button"), figure.steps(state.model, state.choices).length);
    if (!action) return;
    event.preventDefault();
    dispatch(action);
  });
  on(reducedMotion, "change", () => dispatch({ type: "still", still: reducedMotion.matches }));
  const resizeObserver = new ResizeObserver(() => {
    const [next, nextScrubWidth] = [sceneWidth(host), parts.scrub.clientWidth];
    if (next === width && nextScrubWidth === scrubWidth) return;
    const wider = next !== width;
    [width, scrubWidth] = [next, nextScrubWidth];
    line = undefined;
    if (wider) paint();
    else writeStep();
  });

  const intakeLine = intake && intake.view(host, unmounted.signal, (given) => void drawFiles(given));
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
    permalink: () => (state ? toPermalink(figure, state) : initialLink),
    go,
    update(model, ask) {
      if (ask !== pageAsk) {
        pageAsk = currentAsk = ask;
        if (ask && model === undefined) void answer(state?.choices ?? figure.initial);
      }
      if (model === undefined) return;
      if (state) dispatch({ type: "model", model });
      else begin(model, {});
    },
    unmount() {
      modelRequest?.abort();
      filesRequest?.abort();
      unmounted.abort();
      resizeObserver.disconnect();
      cancelAnimationFrame(frameRequest);
    },
  };
}

/** The action of a key outside of cells. Space on a button presses that button. */
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
const sceneWidth = (host: HTMLElement) => Math.min(1280, Math.max(320, Math.floor(host.clientWidth)));

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

function tableElement(
  columns: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  caption: string,
): HTMLTableElement {
  const table = document.createElement("table");
  table.createCaption().textContent = caption;
  const head = table.createTHead().insertRow();
  const tableCell = (text: string | number, scope?: "col" | "row") => {
    const cell = document.createElement(scope ? "th" : "td");
    if (scope) cell.setAttribute("scope", scope);
    cell.textContent = String(text);
    return cell;
  };
  head.append(...columns.map((column) => tableCell(column, "col")));
  const body = table.createTBody();
  for (const row of rows)
    body.insertRow().append(...row.map((text, i) => tableCell(text, i === 0 ? "row" : undefined)));
  return table;
}
