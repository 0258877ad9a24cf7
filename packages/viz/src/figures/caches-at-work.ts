import { between } from "./between.js";
import { bytesText } from "./bytes-text.js";
import { kindBars, kindBarsHeight } from "./caches-at-work/kind-bars.js";
import { legend } from "./caches-at-work/legend.js";
import { isPhone, regionPlaces, slotCell, textCell } from "./caches-at-work/layout.js";
import { memory } from "./caches-at-work/memory.js";
import {
  chosenKind,
  sequenceName,
  type CacheKind,
  type CacheMoment,
  type CachesAtWorkChoices,
  type CachesAtWorkModel,
} from "./caches-at-work/model.js";
import { panel, panelHeight } from "./caches-at-work/panel.js";
import { stepId, steps } from "./caches-at-work/steps.js";
import { conversationRows, sequenceSummary } from "./caches-at-work/text-rows.js";
import type { Control, Figure, FigureTable, Moment, Press } from "./figure.js";
import type { Mark, Scene } from "./mark.js";
import { wrapText } from "./wrap-text.js";

export type {
  CacheBudget,
  CachedSequence,
  CacheKind,
  CacheMoment,
  CacheOperation,
  CacheRegion,
  CachesAtWorkChoices,
  CachesAtWorkModel,
  RoundedKey,
  SlotToken,
  StoredAs,
} from "./caches-at-work/model.js";

/**
 * *KV caches at work*: one conversation on every kind of cache. Above is the text, with tokens that are evicted or
 * quantized; below the memory, slot by slot, with the sequences that read it. A fork shares memory until one side writes.
 *
 * The model is made by `cachesAtWorkModel` of `@qkv/figures/caches-at-work`.
 *
 * @example
 * ```ts
 * import { cachesAtWork } from "@qkv/viz/figures/caches-at-work";
 *
 * cachesAtWork.name; // => "caches-at-work"
 * cachesAtWork.modelInputs; // => ["budget", "operations"]
 * ```
 */
export const cachesAtWork: Figure<CachesAtWorkModel, CachesAtWorkChoices> = {
  name: "caches-at-work",
  title: "KV caches at work",
  caption:
    "Our small model runs the same conversation on each kind of cache. One layer of slots is drawn; bytes are those of all layers.",
  initial: { kind: "paged", budget: "medium", operations: "aafbban" },
  modelInputs: ["budget", "operations"],
  steps,
  scene,
  controls,
  table,
  press,
};

function scene(
  model: CachesAtWorkModel,
  choices: CachesAtWorkChoices,
  { step, progress, focus }: Moment,
  width: number,
): Scene {
  const kind = chosenKind(model, choices);
  const after = staticScene(model, kind, { text: step, memory: step }, focus, width);
  if (progress >= 1) return after;
  // The text comes first; then its keys and values go to their slots.
  const before = staticScene(model, kind, { text: step - 1, memory: step - 1 }, undefined, width);
  const textShown = staticScene(model, kind, { text: step, memory: step - 1 }, undefined, width);
  return progress < textPart
    ? between(before, textShown, progress / textPart)
    : between(textShown, after, (progress - textPart) / (1 - textPart));
}

const textPart = 0.3;

/** The scene with the text after operation `at.text` and the memory after operation `at.memory`; -1 is before the first. */
function staticScene(
  model: CachesAtWorkModel,
  kind: CacheKind,
  at: { text: number; memory: number },
  focus: string | undefined,
  width: number,
): Scene {
  const phone = isPhone(width);
  const margin = phone ? 2 : 6;
  const inner = width - 2 * margin;
  const moment = kind.moments[at.memory];
  const focused = focusedToken(moment, focus);
  const lit = litCells(moment, focused);
  const aside = phone ? 0 : width < 900 ? 260 : 330;
  const room = phone ? inner : inner - aside - 40;
  const rows = conversationRows(model, at.text, moment, lit, room);
  const below = legend(kind, { x: margin, y: rows.height + 2, width: room });
  const title = rows.height + below.height + 26;
  const description = wrapText(kind.description, room);
  const top = title + 10 + 16 * description.length;
  const memoryHeight = Math.max(...kind.moments.map(({ regions }) => regionPlaces(regions, room).height));
  const height = panelHeight(model, kind, phone ? inner : aside);
  const place = phone
    ? { x: margin, y: top + memoryHeight + 22, width: inner }
    : { x: width - margin - aside, y: 0, width: aside };
  const bars = { x: place.x, y: place.y + height + 18, width: place.width };
  const shown = Math.max(0, at.memory);
  const marks: Mark[] = [
    ...rows.marks.map((mark) => ({ ...mark, x: mark.x + margin })),
    ...below.marks,
    {
      key: "memory:title",
      kind: "text",
      x: margin,
      y: title,
      text: memoryTitle(moment),
      size: 14,
      weight: 600,
    },
    ...description.map((text, i): Mark => ({
      key: `memory:description:${i}`,
      kind: "text",
      x: margin,
      y: title + 17 + 16 * i,
      text,
      fill: "quiet",
    })),
    ...(moment
      ? [
          ...memory(model, kind, moment, lit, { x: margin, y: top, width: room }),
          ...panel(model, kind, shown, focused, place),
          ...kindBars(model, kind.id, shown, bars),
        ]
      : []),
  ];
  return {
    width,
    height: Math.max(bars.y + kindBarsHeight(model, bars.width), top + memoryHeight + 4),
    marks,
    description: describe(model, kind, Math.max(0, at.text)),
  };
}

function memoryTitle(moment: CacheMoment | undefined): string {
  if (!moment) return "Memory: empty";
  if (moment.regions.some(({ stored }) => stored === "state"))
    return `Memory: ${moment.regions.length} ${moment.regions.length === 1 ? "state" : "states"} in each layer`;
  const slots = moment.regions.flatMap((region) => region.slots);
  return `Memory: ${slots.filter(Boolean).length} of ${slots.length} slots used`;
}

/** The token at an address, of the text or of a slot. */
function focusedToken(moment: CacheMoment | undefined, focus: string | undefined) {
  const [where, first, second] = focus?.split(":") ?? [];
  if (!moment || second === undefined) return undefined;
  if (where === "text") return { sequence: Number(first), position: Number(second) };
  if (where !== "slot") return undefined;
  const region = moment.regions.find(({ id }) => id === first!.replace(".", ":"));
  const token = region?.slots[Number(second)];
  return token && { ...token, sequence: region.holders[0] ?? token.sequence };
}

/** Addresses of all cells of a token: its slots, and the token in the text of each sequence that reads them. */
function litCells(
  moment: CacheMoment | undefined,
  focused: { sequence: number; position: number } | undefined,
): ReadonlySet<string> {
  const cells = new Set<string>();
  if (!moment || !focused) return cells;
  cells.add(textCell(focused.sequence, focused.position));
  for (const { id, holders, slots } of moment.regions) {
    if (!holders.includes(focused.sequence)) continue;
    const slot = slots.findIndex((token) => token?.position === focused.position);
    if (slot < 0) continue;
    cells.add(slotCell(id, slot));
    for (const sequence of holders) cells.add(textCell(sequence, focused.position));
  }
  return cells;
}

function describe(model: CachesAtWorkModel, kind: CacheKind, index: number): string {
  const { sequences, bytes } = kind.moments[index]!;
  const each = model.operations[index]!.lengths.flatMap((length, sequence) =>
    length > 0 ? [`${sequenceName(sequence)}: ${sequenceSummary(sequences[sequence], length)}`] : [],
  );
  return `${kind.name} cache. ${each.join("; ")}. ${bytesText(bytes)} allocated.`;
}

function controls(model: CachesAtWorkModel, choices: CachesAtWorkChoices): Control<CachesAtWorkChoices>[] {
  const { budget } = chosenKind(model, choices);
  const lengths = model.operations.at(-1)!.lengths;
  const appends = lengths.flatMap((length, sequence) =>
    length > 0 ? [{ label: `Append to ${sequenceName(sequence)}`, cell: `do:append:${sequence}` }] : [],
  );
  return [
    {
      kind: "choice",
      key: "kind",
      label: "Cache",
      options: model.kinds.map(({ id, name, description }) => ({
        value: id,
        label: name,
        title: description,
      })),
    },
    ...(budget
      ? [
          {
            kind: "choice" as const,
            key: "budget" as const,
            label: budget.label,
            options: budget.options.map(({ value, tokens }) => ({ value, label: `${tokens} tokens` })),
          },
        ]
      : []),
    {
      kind: "press",
      key: "operations",
      label: "Do next",
      maxLength: 24,
      buttons: [
        ...appends,
        ...(lengths[1] === 0 ? [{ label: "Fork A", cell: "do:fork:1" }] : []),
        ...(lengths[2] === 0 ? [{ label: "New request", cell: "do:request:2" }] : []),
        ...(model.operations.length > 1
          ? [
              { label: "Undo", cell: "do:undo:0" },
              { label: "Clear", title: "Leaves the prompt alone", cell: "do:clear:0" },
            ]
          : []),
      ],
    },
  ];
}

/** A press on a bar chooses its kind of cache; a press on a button changes the conversation. */
function press(
  model: CachesAtWorkModel,
  { operations }: CachesAtWorkChoices,
  cell: string,
): Press<CachesAtWorkChoices> | undefined {
  const [where, name, sequence] = cell.split(":");
  if (where === "kinds") return { choices: { kind: model.kinds[Number(name)]!.id } };
  if (where !== "do") return undefined;
  const last = model.operations.length - 1;
  if (name === "clear") return { choices: { operations: "" }, step: "0-prompt" };
  if (name === "undo") {
    const step = stepId(model.operations[last - 1]!, last - 1);
    return { choices: { operations: operations.slice(0, -1) }, step };
  }
  const letter = name === "fork" ? "f" : name === "request" ? "n" : "abc"[Number(sequence)]!;
  const operation = { kind: name as "append" | "fork" | "request", sequence: Number(sequence), lengths: [] };
  return {
    choices: { operations: operations + letter },
    step: stepId(operation, last + 1),
    plays: true,
  };
}

function table(model: CachesAtWorkModel, choices: CachesAtWorkChoices, step: number): FigureTable {
  return {
    columns: [
      "cache",
      "bytes allocated",
      "bytes in use",
      "tokens computed",
      "tokens copied",
      "tokens forgotten",
    ],
    rows: model.kinds.map(({ name, moments }) => {
      const { bytes, usedBytes, computed, copied, sequences } = moments[step]!;
      const evicted = sequences.flatMap((own) => own?.stored.filter((form) => form === "evicted") ?? []);
      return [name, bytes, Math.round(usedBytes), computed, copied, evicted.length];
    }),
  };
}
