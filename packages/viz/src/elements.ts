import { checks } from "@qkv/core";
import {
  attentionMap,
  attributionGraph,
  bars,
  cachePages,
  headGrid,
  headView,
  lines,
  logitLensView,
  maskTiles,
  modelView,
  neuronView,
  patchingView,
  pieces,
  planTiles,
  readViewFile,
  roofline,
  ropeClock,
  tokenArcs,
  trainingView,
  vectors,
} from "./index.js";
import { makeReadable, type NodeSelectEvent } from "./readable-picture.js";
import { addTrainingTools } from "./training-element.js";
import { drawWeightCanvas, isLarge } from "./weight-canvas.js";

export { clearLight, lightCell } from "./lit-cell.js";
export { followTraining, type FollowTrainingOptions } from "./training-element.js";
export type {
  CellSelectEvent,
  HeadSelectEvent,
  NodeSelectEvent,
  WeightSelectEvent,
} from "./readable-picture.js";

/** The pictures that have an element, by its name. */
export const pictures = {
  "qkv-attention-map": attentionMap,
  "qkv-attribution-graph": attributionGraph,
  "qkv-bars": bars,
  "qkv-cache-pages": cachePages,
  "qkv-head-grid": headGrid,
  "qkv-head-view": headView,
  "qkv-lines": lines,
  "qkv-logit-lens": logitLensView,
  "qkv-mask-tiles": maskTiles,
  "qkv-model-view": modelView,
  "qkv-neuron-view": neuronView,
  "qkv-patching": patchingView,
  "qkv-pieces": pieces,
  "qkv-plan-tiles": planTiles,
  "qkv-roofline": roofline,
  "qkv-rope-clock": ropeClock,
  "qkv-token-arcs": tokenArcs,
  "qkv-training": trainingView,
  "qkv-vectors": vectors,
} as const;
export type PictureName = keyof typeof pictures;

/** An element that draws one kind of picture. */
export interface PictureElement<Name extends PictureName> extends HTMLElement {
  /** The arguments of the picture function. Setting them draws the picture. The attribute is their JSON. */
  args: Parameters<(typeof pictures)[Name]> | undefined;
  /** URL of a file with the arguments, which `readViewFile` reads. Setting it fetches the file and draws it. Empty: none. */
  src: string;
  /** Draws the picture, with the arguments of its function. */
  draw(...args: Parameters<(typeof pictures)[Name]>): void;
}

/**
 * Defines the custom elements of the pictures: `<qkv-attention-map>`, `<qkv-token-arcs>`, `<qkv-head-grid>`, `<qkv-bars>` and so on.
 * Each is drawn by `element.draw(…)`, by `element.args = […]`, from JSON in its attribute `args`, a list of the arguments of the function, or
 * from the file of its attribute `src`, which `readViewFile` reads: safetensors or JSON, made by Python for example. Its numbers can be read with arrow keys and as a table, and it can be saved: its attribute `download` names the file, without
 * `.svg`. An attention map `[T, S]` of more than
 * 100,000 cells is drawn into a canvas, a pixel for each. `<qkv-picture>` does the same for an SVG that it already
 * contains. A head of `<qkv-head-grid>` can be chosen, by the pointer or by Enter: it gets the frame of the option `selected`, and the
 * element sends the event `headselect`, whose `detail` is `{ layer, head }`. A cell of `<qkv-logit-lens>` and `<qkv-patching>` can be
 * chosen in the same way: `cellselect` has `{ row, column }`; so can a weight of `<qkv-attention-map>` and `<qkv-token-arcs>` with the
 * option `selected`, where a token alone is `{ row }`. A node of `<qkv-attribution-graph>` that is chosen shows or hides its
 * sources: `nodeselect` has `{ id }`.
 * `<qkv-training>` has buttons for the quantities of a run, and one that saves it as CSV; {@link followTraining} draws it while a model
 * is trained.
 *
 * Wrong `args`, and files that cannot be read, are shown as the text of their error. The element sends it as an `error` event; unless a listener calls
 * `preventDefault`, it is reported like an uncaught error, to the console and to `window.onerror`.
 *
 * An import defines nothing, and a second call changes nothing. In Node it does nothing.
 *
 * @example
 * ```ts
 * import { defineElements, pictures } from "@qkv/viz/elements";
 *
 * defineElements();
 * // document.querySelector("qkv-bars").draw({ data: [64, 8], shape: [2] }, { labels: ["MHA", "MQA"] });
 * Object.keys(pictures).length; // => 19
 * ```
 */
export function defineElements(): void {
  if (typeof customElements === "undefined" || customElements.get("qkv-picture")) return;
  customElements.define(
    "qkv-picture",
    class extends HTMLElement {
      connectedCallback(): void {
        makeReadable(this);
      }
    },
  );
  for (const [name, picture] of Object.entries(pictures) as [string, (...args: never) => string][]) {
    const draw = (host: HTMLElement, ...args: never) => drawText(host, picture(...args));
    const customDraw = {
      "qkv-attention-map": drawMap,
      "qkv-attribution-graph": drawGraph,
      "qkv-training": drawTraining,
    }[name];
    customElements.define(name, pictureElementClass(customDraw ?? draw));
  }
}

/** Draws a map as SVG, or as pixels if it has too many cells. */
function drawMap(host: HTMLElement, ...[weights, options = {}]: Parameters<typeof attentionMap>): void {
  if (weights?.shape?.length === 2 && isLarge(weights)) return drawWeightCanvas(host, weights, options);
  drawText(host, attentionMap(weights, options));
}

/** The listener of each graph element, which is removed when another graph is drawn. */
const listeners = /* @__PURE__ */ new WeakMap<HTMLElement, AbortController>();

/** Draws a graph whose nodes show and hide their sources. */
function drawGraph(host: HTMLElement, ...[graph, options = {}]: Parameters<typeof attributionGraph>): void {
  const expanded = new Set(options.expanded);
  drawText(host, attributionGraph(graph, options));
  listeners.get(host)?.abort();
  const controller = new AbortController();
  listeners.set(host, controller);
  const toggle = (event: Event) => {
    // A listener of the page may call `preventDefault`, also one on an ancestor, which is called after this one.
    queueMicrotask(() => {
      if (event.defaultPrevented || controller.signal.aborted) return;
      const { id } = (event as NodeSelectEvent).detail;
      if (!expanded.delete(id)) expanded.add(id);
      drawText(host, attributionGraph(graph, { ...options, expanded: [...expanded], selected: id }));
    });
  };
  host.addEventListener("nodeselect", toggle, { signal: controller.signal });
}

/** Draws a training run with its buttons. */
function drawTraining(host: HTMLElement, ...[run, options = {}]: Parameters<typeof trainingView>): void {
  drawText(host, trainingView(run, options));
  addTrainingTools(host, run, options.show ?? "loss", (show) =>
    (host as PictureElement<"qkv-training">).draw(run, { ...options, show }),
  );
}

function drawText(host: HTMLElement, svg: string): void {
  // The new picture takes over the keyboard focus of the old one.
  const focused = host.contains(document.activeElement);
  host.innerHTML = svg;
  makeReadable(host);
  if (focused) host.querySelector<HTMLElement>("[role=group]")?.focus();
}

function argumentsFrom(fn: string, text: string): unknown[] {
  const details = { argument: "args", received: text, expected: "JSON of a list of what the function takes" };
  const fix = 'write args=\'[{"data":[64,8],"shape":[2]}]\'.';
  let args: unknown;
  try {
    args = JSON.parse(text);
  } catch (cause) {
    checks(fn).refuse({ ...details, fix, cause });
  }
  return Array.isArray(args) ? args : checks(fn).refuse({ ...details, fix });
}

async function fetchFile(fn: string, address: string): Promise<ArrayBuffer> {
  const response = await fetch(address);
  if (response.ok) return response.arrayBuffer();
  const [received, expected] = [`${address}, status ${response.status}`, "the address of a file"];
  return checks(fn).refuse({
    argument: "src",
    received,
    expected,
    fix: "serve the file there, or correct the address.",
  });
}

function pictureElementClass(draw: (host: HTMLElement, ...args: never) => void): CustomElementConstructor {
  return class extends HTMLElement {
    static observedAttributes = ["args", "src"];
    #args: unknown[] | undefined;

    constructor() {
      super();
      // A page may have set `args` before the element was defined.
      if (!Object.hasOwn(this, "args")) return;
      this.#args = (this as { args?: unknown[] }).args;
      Reflect.deleteProperty(this, "args");
    }

    get src(): string {
      return this.getAttribute("src") ?? "";
    }
    set src(address: string) {
      if (address === "") this.removeAttribute("src");
      else this.setAttribute("src", address);
    }

    get args(): unknown[] | undefined {
      return this.#args;
    }
    set args(args: unknown[] | undefined) {
      // A framework sets the same arguments again at each render.
      if (args && this.#args && sameItems(args, this.#args)) return;
      this.#args = args;
      if (args) this.#drawSet(args);
      else this.replaceChildren();
    }

    /** Draws, and shows and reports errors: a setter that throws would end the render of a framework. */
    #drawSet(args: unknown[]): void {
      try {
        draw(this, ...(args as never));
      } catch (error) {
        this.#show(error);
      }
    }

    #show(error: unknown): void {
      this.textContent = error instanceof Error ? error.message : String(error);
      const event = new ErrorEvent("error", { error, message: this.textContent, cancelable: true });
      if (this.dispatchEvent(event)) reportError(error);
    }

    /** Fetches the file of `src` and draws it, unless `src` has changed in the meantime. */
    async #load(address: string): Promise<void> {
      const isCurrent = () => this.getAttribute("src") === address;
      try {
        const args = readViewFile(await fetchFile(this.localName, address));
        if (isCurrent()) this.args = args;
      } catch (error) {
        if (isCurrent()) this.#show(error);
      }
    }

    connectedCallback(): void {
      if (this.#args && this.childElementCount === 0) this.#drawSet(this.#args);
    }

    attributeChangedCallback(name: string): void {
      const text = this.getAttribute(name);
      if (text === null) return;
      if (name === "src") void this.#load(text);
      else this.draw(...(argumentsFrom(this.localName, text) as never));
    }

    draw(...args: never): void {
      draw(this, ...args);
      this.#args = args;
    }
  };
}

const sameItems = (one: readonly unknown[], other: readonly unknown[]): boolean =>
  one.length === other.length && one.every((item, i) => item === other[i]);
