import { bytesText, countText } from "./bytes-text.js";
import type { Control, Figure, Moment, Step } from "./figure.js";
import type { Mark, Scene } from "./mark.js";
import { barsHeight, cacheBars, modelFacts, noteMarks } from "./model-stack/facts.js";
import { kindCard } from "./model-stack/kind-card.js";
import { layers, layersHeight } from "./model-stack/layers.js";
import type { ModelStackChoices, ModelStackModel, StackedModel } from "./model-stack/model.js";
import { layerBytes, modelBytes, stackMoment, type StackMoment } from "./model-stack/stack-numbers.js";
import { headsText } from "./model-stack/wiring.js";

export type {
  ModelStackChoices,
  ModelStackModel,
  StackedModel,
  StackHeads,
  StackKind,
  StackMap,
  StackRun,
  StackSide,
} from "./model-stack/model.js";

/**
 * *How a model attends*: the layers of a published model, each as long as the part of the context that its newest token
 * sees; the mask and the heads of each kind of layer; and the cache and the work per token as the context doubles. Two
 * models can be compared.
 *
 * @example
 * ```ts
 * import { modelStack } from "@qkv/viz/figures/model-stack";
 *
 * modelStack.initial; // => { model: "gemma-3-27b", compare: "" }
 * ```
 */
export const modelStack: Figure<ModelStackModel, ModelStackChoices> = {
  name: "model-stack",
  title: "How a model attends",
  caption: "Which layers see how many tokens, what their heads share, and what the KV cache needs for it.",
  initial: { model: "gemma-3-27b", compare: "" },
  initialStep: "tokens-32768",
  modelInputs: ["model", "compare"],
  steps: (model) => model.lengths.map((tokens) => lengthStep(model, tokens)),
  scene,
  controls: ({ offers }): Control<ModelStackChoices>[] => [
    { kind: "select", key: "model", label: "Model", options: offers },
    {
      kind: "select",
      key: "compare",
      label: "Compare with",
      options: [{ value: "", label: "none" }, ...offers],
    },
  ],
  table,
  // `press` is absent: a pressed layer or kind keeps the focus, which highlights it.
};

function lengthStep({ models }: ModelStackModel, tokens: number): Step {
  const short = tokens >= 2 ** 20 ? `${tokens / 2 ** 20}M` : `${tokens / 1024}K`;
  return {
    id: `tokens-${tokens}`,
    chapter: short,
    title: `${countText(tokens)} tokens of context`,
    text: models.map((model) => modelText(model, tokens)).join(" "),
    milliseconds: 1600,
  };
}

/** Text about a model at one context length, in one to three sentences. */
function modelText(model: StackedModel, tokens: number): string {
  const { name, kinds, contextLength } = model;
  const beyond =
    contextLength !== null && tokens > contextLength
      ? ` It was made for ${countText(contextLength)} tokens at most.`
      : "";
  if (model.bytesPerToken === 0)
    return `${name} reads the whole text at once: every token sees those before and after it, and nothing is cached.${beyond}`;
  const bytes = modelBytes(model, tokens);
  const cachingKinds = kinds.filter(
    ({ cross, bytesPerToken, stateBytes }) => !cross && bytesPerToken + stateBytes > 0,
  );
  const parts = cachingKinds.map(({ layers: count, short, limit }) => {
    const layersText = `${count} ${short} ${count === 1 ? "layer keeps" : "layers keep"}`;
    if (limit === 0) return `${layersText} a state of fixed size`;
    if (limit === null) return `${layersText} every token`;
    return limit >= tokens
      ? `${layersText} every token so far`
      : `${layersText} ${countText(limit)} tokens each`;
  });
  const full = model.fullBytesPerToken * tokens;
  const unshared = model.unsharedBytesPerToken * tokens;
  const saved =
    bytes < 0.95 * full
      ? ` Full attention in every layer would keep ${bytesText(full)}.`
      : bytes < 0.95 * unshared
        ? ` If every query head had its own keys and values, it would be ${bytesText(unshared)}.`
        : "";
  return `${name} keeps ${bytesText(bytes)}: ${parts.join(", ")}.${saved}${beyond}`;
}

function scene(model: ModelStackModel, _: ModelStackChoices, moment: Moment, width: number): Scene {
  const { models } = model;
  const margin = width < 640 ? 4 : 8;
  const inner = width - 2 * margin;
  const now = stackMoment(model, moment.step, moment.progress);
  const side = models.length > 1 && width >= 760;
  const gap = 48;
  const column = side ? (inner - gap) / 2 : inner;
  const row = rowHeight(models, column);
  const maxBytes = Math.max(
    ...models.map((one) => Math.max(one.unsharedBytesPerToken, one.fullBytesPerToken) * now.tokens),
  );
  const common: Common = {
    now,
    row,
    maxBytes,
    ...(side && {
      heights: {
        stack: Math.max(...models.map((one) => layersHeight(one, row))),
        bars: Math.max(...models.map(barsHeight)),
      },
    }),
  };
  const marks: Mark[] = [];
  let bottom = 0;
  models.forEach((one, i) => {
    const place = side
      ? { x: margin + i * (column + gap), y: 0, width: column }
      : { x: margin, y: i === 0 ? 0 : bottom + 36, width: column };
    const drawn = stackMarks(one, i === 0 ? "" : "other:", litKind(one, i, moment.focus), common, place);
    marks.push(...drawn.marks);
    bottom = Math.max(bottom, place.y + drawn.height);
  });
  const note = noteMarks(noteText(model), "note", { x: margin, y: bottom + 18, width: inner });
  marks.push(...note.marks);
  return {
    width,
    height: bottom + 18 + note.height,
    marks,
    description: models.map((one) => describe(one, now)).join(" "),
  };
}

/** Height of a layer, one for all models, so that stacks can be compared. */
function rowHeight(models: readonly StackedModel[], column: number): number {
  const maxLayers = Math.max(
    ...models.map(({ sides }) => sides.reduce((sum, { layers: all }) => sum + all.length, 0)),
  );
  // Stacks of identical layers are drawn with lower rows.
  const plain = models.every(({ sides }) =>
    sides.every(({ runs }) => runs.length === 1 && runs[0]!.pattern.length === 1),
  );
  return Math.min(plain ? 7 : 11, (plain || column < 640 ? 280 : 400) / maxLayers);
}

/** Measures that models share when they are drawn together. */
type Common = {
  now: StackMoment;
  /** Height of a layer. */
  row: number;
  /** Bytes of the longest bar. */
  maxBytes: number;
  /** Heights of the parts of models side by side, so that they align. */
  heights?: { stack: number; bars: number };
};

function stackMarks(
  model: StackedModel,
  prefix: string,
  lit: string | undefined,
  { now, row, maxBytes, heights }: Common,
  { x, y, width }: { x: number; y: number; width: number },
): { marks: Mark[]; height: number } {
  const head = modelFacts(model, now, prefix, { x, y, width });
  const marks = [...head.marks];
  const top = y + head.height + 16;
  const twoColumns = width >= 900;
  const stackWidth = twoColumns ? width * 0.38 : width;
  marks.push(...layers(model, now.tokens, prefix, lit, { x, y: top, width: stackWidth, row }));
  const bottom = top + layersHeight(model, row);
  const bars = (place: { x: number; y: number; width: number }) => {
    const drawn = cacheBars(model, now, maxBytes, prefix, place);
    marks.push(...drawn.marks);
    return place.y + drawn.height;
  };
  if (!twoColumns) {
    const below = heights ?? { stack: layersHeight(model, row), bars: barsHeight(model) };
    bars({ x, y: top + below.stack + 10, width });
    return { marks, height: cards(x, top + below.stack + below.bars + 34, width) - y };
  }
  const left = x + stackWidth + 44;
  const right = cards(left, top, width - stackWidth - 44);
  // The bars are drawn below the shorter column.
  const end =
    bottom < right
      ? bars({ x, y: bottom + 14, width: stackWidth })
      : bars({ x: left, y: right + 24, width: width - stackWidth - 44 });
  return { marks, height: Math.max(bottom, right, end) - y };

  /** Cards of all kinds, one below the other. */
  function cards(x: number, y: number, width: number): number {
    let at = y;
    for (const kind of model.kinds) {
      const card = kindCard(model, kind, now.tokens, prefix, lit, { x, y: at, width });
      marks.push(...card.marks);
      at += card.height + 24;
    }
    return at - 24;
  }
}

/** The kind of layer that the reader points at, by one of its layers or a head of its card. */
function litKind({ kinds }: StackedModel, index: number, focus: string | undefined): string | undefined {
  if (focus === undefined || focus.startsWith("other:") !== index > 0) return undefined;
  return kinds.find(({ id }) => focus.split(":").includes(id))?.id;
}

function noteText({ drawnWindow, models }: ModelStackModel): string {
  const limited = models.some(({ kinds }) => kinds.some(({ limit }) => limit !== null && limit > 0));
  const masks = limited
    ? `Masks are drawn for 12 tokens, with windows and chunks of ${drawnWindow}; hatched is not seen.`
    : "Masks are drawn for 12 tokens; hatched is not seen.";
  const runs = models.some(({ kinds }) => kinds.some(({ maps }) => maps.length > 0));
  const maps = runs
    ? [
        "The maps are of tiny decoders with random weights that run in this page: they show the masks, not what a model learned.",
      ]
    : [];
  // The size of each tiny model, or the reason for its absence.
  const tiny = [...new Set(models.map((each) => each.tiny))];
  return [masks, "Bytes are those of 16-bit numbers.", ...maps, ...tiny].join(" ");
}

function describe(model: StackedModel, { tokens }: StackMoment): string {
  const kinds = model.kinds.map(
    ({ name, layers: count, heads }) =>
      `${count} ${count === 1 ? "layer" : "layers"}: ${name}, ${headsText(heads)}`,
  );
  return `${model.name}. ${kinds.join("; ")}. ${modelText(model, tokens)}`;
}

function table({ models, lengths }: ModelStackModel, _: ModelStackChoices, step: number) {
  const tokens = lengths[step]!;
  return {
    columns: [
      "model",
      "kind of layer",
      "layers",
      "query heads",
      "KV heads",
      "bytes per token and layer",
      `bytes at ${countText(tokens)} tokens`,
    ],
    rows: models.flatMap((model) => [
      ...model.kinds.map((kind) => [
        model.name,
        kind.name,
        kind.layers,
        kind.heads.numHeads,
        kind.heads.numKvHeads,
        kind.bytesPerToken,
        kind.layers * layerBytes(kind, tokens),
      ]),
      [model.name, "all", "", "", "", "", model.cacheBytes[step]!],
    ]),
  };
}
