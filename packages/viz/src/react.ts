import { createElement, useEffect, useRef, useState, type FunctionComponent } from "react";
import {
  defineElements,
  pictures,
  type CellSelectEvent,
  type HeadSelectEvent,
  type NodeSelectEvent,
  type PictureElement,
  type PictureName,
} from "./elements.js";
import type { SelectedCell } from "./cell-frame.js";
import type { SelectedHead } from "./head-grid.js";
import { isLarge } from "./weight-canvas.js";

/** Props of a component: the arguments of the function of the same name. */
export type PictureProps<Name extends PictureName> = { args: Parameters<(typeof pictures)[Name]> };

/** Renders the SVG on the server; arrow keys, the table and saving are added in the browser. */
function component<Name extends PictureName>(name: Name): FunctionComponent<PictureProps<Name>> {
  const draw = pictures[name] as (...args: PictureProps<Name>["args"]) => string;
  return function Picture({ args }) {
    useEffect(defineElements, []);
    const svg = draw(...args);
    // A new key for a new picture, so that React removes the elements that were added around the old one.
    return createElement("qkv-picture", { key: svg, dangerouslySetInnerHTML: { __html: svg } });
  };
}

/**
 * Weights as a heat map: `<AttentionMap args={[weights, { rowLabels }]} />`; one head of more than 100,000 cells as pixels,
 * drawn when the page is there.
 *
 * @example
 * ```ts
 * import { createElement } from "react";
 * import { AttentionMap } from "@qkv/viz/react";
 *
 * const weights = { data: [1, 0, 0.25, 0.75], shape: [2, 2] };
 * createElement(AttentionMap, { args: [weights] }).type === AttentionMap; // => true
 * ```
 */
export const AttentionMap: FunctionComponent<PictureProps<"qkv-attention-map">> = ({ args }) =>
  createElement(isLarge(args[0]) ? LargeMap : SmallMap, { args });
const SmallMap = component("qkv-attention-map");

/** A canvas needs a browser: the server renders an empty element, which an effect fills. */
function LargeMap({ args }: PictureProps<"qkv-attention-map">) {
  const place = useRef<PictureElement<"qkv-attention-map">>(null);
  useEffect(() => {
    defineElements();
    place.current?.draw(...args);
  }, [args]);
  return createElement("qkv-attention-map", { ref: place });
}
/**
 * Sources of a score: `<AttributionGraph args={[graph, { tokens }]} />`. A node that a reader chooses shows its sources, or hides them.
 *
 * @example
 * ```ts
 * import { createElement } from "react";
 * import { AttributionGraph } from "@qkv/viz/react";
 *
 * const nodes = [{ id: 0, name: "embedding", value: 2 }];
 * createElement(AttributionGraph, { args: [{ dot: 2, nodes }] }).type === AttributionGraph; // => true
 * ```
 */
export const AttributionGraph: FunctionComponent<PictureProps<"qkv-attribution-graph">> = ({
  args: [graph, options],
}) => {
  const [chosen, setChosen] = useState<{ expanded: readonly number[]; selected: number }>();
  // A new graph may lack the selected node of the previous one.
  const isNode = (id: number) => graph.nodes.some((node) => node.id === id);
  const expanded = chosen?.expanded.filter(isNode) ?? options?.expanded ?? [];
  const selected = chosen && isNode(chosen.selected) ? chosen.selected : options?.selected;
  return useChoices(
    "qkv-attribution-graph",
    [graph, { ...options, expanded, selected }],
    "nodeselect",
    (event) => {
      const { id } = (event as NodeSelectEvent).detail;
      const others = expanded.filter((one) => one !== id);
      setChosen({ expanded: others.length < expanded.length ? others : [...others, id], selected: id });
    },
  );
};
/** Numbers as bars. */
export const Bars = component("qkv-bars");
/** Pages of a cache. */
export const CachePages = component("qkv-cache-pages");
/** Props of {@link HeadGrid}: a reader who clicks a head, or reaches it by arrow keys and presses Enter, chooses it. */
export type HeadGridProps = PictureProps<"qkv-head-grid"> & { onHeadSelect?: (head: SelectedHead) => void };

/**
 * Every head of a model: `<HeadGrid args={[weights, { selected }]} onHeadSelect={setSelected} />`.
 *
 * @example
 * ```ts
 * import { createElement } from "react";
 * import { HeadGrid } from "@qkv/viz/react";
 *
 * const weights = { data: [1, 0, 0.25, 0.75], shape: [1, 1, 2, 2] };
 * const onHeadSelect = ({ layer, head }: { layer: number; head: number }) => console.log(layer, head);
 * createElement(HeadGrid, { args: [weights, { selected: { layer: 0, head: 0 } }], onHeadSelect }).type === HeadGrid; // => true
 * ```
 */
export const HeadGrid: FunctionComponent<HeadGridProps> = ({ args, onHeadSelect }) =>
  useChoices("qkv-head-grid", args, "headselect", (event) =>
    onHeadSelect?.((event as HeadSelectEvent).detail),
  );

/** A picture with marks that a reader can select, and the listener of the selection event. */
function useChoices<Name extends PictureName>(
  name: Name,
  args: PictureProps<Name>["args"],
  event: "headselect" | "cellselect" | "nodeselect",
  onSelect: (event: Event) => void,
) {
  const place = useRef<HTMLElement>(null);
  const wasFocused = useRef(false);
  const latest = useRef(onSelect);
  const draw = pictures[name] as (...args: PictureProps<Name>["args"]) => string;
  const svg = draw(...args);
  useEffect(() => {
    latest.current = onSelect;
  });
  useEffect(() => {
    defineElements();
    const element = place.current!;
    // A new key makes a new element for a new picture, which takes over the keyboard focus.
    if (wasFocused.current) element.querySelector<HTMLElement>("[role=group]")?.focus();
    wasFocused.current = false;
    const listen = (choice: Event) => {
      wasFocused.current = element.contains(document.activeElement);
      latest.current(choice);
    };
    element.addEventListener(event, listen);
    return () => element.removeEventListener(event, listen);
  }, [svg, event]);
  return createElement("qkv-picture", { key: svg, ref: place, dangerouslySetInnerHTML: { __html: svg } });
}
/** Heads as lines between two columns of tokens. */
export const HeadView = component("qkv-head-view");
/** Numbers over an axis. */
export const Lines = component("qkv-lines");
/** Props of {@link LogitLensView}: a reader who clicks a cell, or reaches it by arrow keys and presses Enter, chooses it. */
export type LogitLensViewProps = PictureProps<"qkv-logit-lens"> & {
  onCellSelect?: (cell: SelectedCell) => void;
};

/**
 * The most probable next token after each layer: `<LogitLensView args={[lens, { selected }]} onCellSelect={setSelected} />`.
 *
 * @example
 * ```ts
 * import { createElement } from "react";
 * import { LogitLensView } from "@qkv/viz/react";
 *
 * const probabilities = { data: [0.5], shape: [1, 1, 1] };
 * const lens = { names: ["layers.0.output"], tokens: ["The"], topTokens: [[[" cat"]]], probabilities };
 * createElement(LogitLensView, { args: [lens] }).type === LogitLensView; // => true
 * ```
 */
export const LogitLensView: FunctionComponent<LogitLensViewProps> = ({ args, onCellSelect }) =>
  useChoices("qkv-logit-lens", args, "cellselect", (event) =>
    onCellSelect?.((event as CellSelectEvent).detail),
  );
/** A mask and its tiles. */
export const MaskTiles = component("qkv-mask-tiles");
/** Every head of every layer, with shared KV heads, windows and sinks. */
export const ModelView = component("qkv-model-view");
/** The computation of the weights of one query. */
export const NeuronView = component("qkv-neuron-view");
/** Props of {@link PatchingView}: a reader who clicks a cell, or reaches it by arrow keys and presses Enter, chooses it. */
export type PatchingViewProps = PictureProps<"qkv-patching"> & {
  onCellSelect?: (cell: SelectedCell) => void;
};

/**
 * Effects of patches as a heat map: `<PatchingView args={[patched, { columnLabels }]} onCellSelect={setSelected} />`.
 *
 * @example
 * ```ts
 * import { createElement } from "react";
 * import { PatchingView } from "@qkv/viz/react";
 *
 * const patched = { names: ["layers.0.output"], values: { data: [0.5, -0.25], shape: [1, 2] } };
 * createElement(PatchingView, { args: [patched] }).type === PatchingView; // => true
 * ```
 */
export const PatchingView: FunctionComponent<PatchingViewProps> = ({ args, onCellSelect }) =>
  useChoices("qkv-patching", args, "cellselect", (event) =>
    onCellSelect?.((event as CellSelectEvent).detail),
  );
/** Texts, split into pieces. */
export const Pieces = component("qkv-pieces");
/** The tiles of a mask that a kernel visits. */
export const PlanTiles = component("qkv-plan-tiles");
/** The roofline of a machine. */
export const Roofline = component("qkv-roofline");
/** Rotary positions. */
export const RopeClock = component("qkv-rope-clock");
/** Weights as arcs over tokens. */
export const TokenArcs = component("qkv-token-arcs");
/**
 * The curve of a training run: `<Training args={[rows]} />`, with buttons of its quantities and for CSV. It is drawn in the browser only.
 *
 * @example
 * ```ts
 * import { createElement } from "react";
 * import { Training } from "@qkv/viz/react";
 *
 * createElement(Training, { args: [[{ step: 1, loss: 4.2 }]] }).type === Training; // => true
 * ```
 */
export const Training: FunctionComponent<PictureProps<"qkv-training">> = ({ args }) => {
  const place = useRef<PictureElement<"qkv-training">>(null);
  useEffect(() => {
    defineElements();
    if (place.current) place.current.args = args;
  }, [args]);
  return createElement("qkv-training", { ref: place });
};
/** Rows of numbers. */
export const Vectors = component("qkv-vectors");
