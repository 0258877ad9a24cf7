import { easeCubicInOut } from "d3-ease";
import type { Moment } from "../figure.js";
import type { Mark, Scene } from "../mark.js";
import { entropyPlot, type Patches } from "./entropy-plot.js";
import { focusSpan } from "./merges-scene.js";
import type { Span, TokenizationChoices, TokenizationModel } from "./model.js";
import { positionsPanel } from "./positions-panel.js";
import {
  characterMarks,
  emptyBands,
  letterSize,
  focusOpacity,
  spanBar,
  textRows,
  type TextRows,
} from "./text-rows.js";

/** Steps of this view, by id, in their order. */
export const patchSteps = ["entropy", "threshold", "patches", "compare"] as const;

const band = 32;

/** The text, the entropy of each byte with the threshold, the patches, and tokens for comparison. */
export function patchesScene(
  model: TokenizationModel & { patches: Patches },
  choices: TokenizationChoices,
  id: string,
  moment: Moment,
  width: number,
): Scene {
  const beside = width >= 640;
  const at = patchSteps.indexOf(id as (typeof patchSteps)[number]);
  const [grown, sunk, patched, compared] = patchSteps.map((_, step) =>
    at > step ? 1 : at < step ? 0 : moment.progress,
  ) as [number, number, number, number];
  const height = beside ? 110 : 84;
  const rows = textRows(
    model,
    () => [
      { id: "characters", label: "characters", height: () => 24 },
      { id: "entropy", label: beside ? "entropy" : "entropy of each byte, in nats", height: () => height },
      { id: "patches", label: "patches", height: () => band },
      { id: "tokens", label: "tokens", height: () => band },
    ],
    { width, y: 4 },
  );
  const focus = patchSpan(model, moment.focus) ?? focusSpan(model, moment.focus);
  const plotted = { grown, sunk: easeCubicInOut(sunk), height, patchHeight: patched > 0 ? band : 0 };
  const below = positionsPanel(model, { patched, compared }, { width, y: rows.height + 30 });
  const marks = [
    ...rows.labels,
    ...(patched < 1 ? emptyBands(rows, "patches", band) : []),
    ...(compared < 1 ? emptyBands(rows, "tokens", band) : []),
    ...characterMarks(model, rows, focus).flatMap((each) => each.marks),
    ...entropyPlot(model, choices, rows, plotted, focus),
    ...patchMarks(model, rows, patched, focus),
    ...(compared > 0 ? tokenMarks(model, rows, compared, focus) : []),
    ...below.marks,
  ];
  return { width, height: below.bottom, marks, description: describe(model, choices) };
}

function describe({ text, bytes, patches, tokens }: TokenizationModel, choices: TokenizationChoices): string {
  const rule =
    choices.rule === "threshold" ? `is above ${choices.threshold}` : `rises by more than ${choices.rise}`;
  return `“${text}”: ${bytes.length} bytes in ${patches?.starts.length ?? 0} patches, cut where the entropy of the next byte ${rule} nats. A vocabulary has ${tokens.length} tokens for it.`;
}

/** Bytes of each patch. */
export const patchSpans = ({ bytes, patches }: TokenizationModel): Span[] =>
  (patches?.starts ?? []).map((start, i, all) => ({ start, end: all[i + 1] ?? bytes.length }));

function patchSpan(model: TokenizationModel, focus: string | undefined): Span | undefined {
  const [name, row] = focus?.split(":") ?? [];
  return name === "patch" ? patchSpans(model)[Number(row)] : undefined;
}

function patchMarks(
  model: TokenizationModel & { patches: Patches },
  rows: TextRows,
  shown: number,
  focus: Span | undefined,
): Mark[] {
  const spans = patchSpans(model);
  return spans.flatMap((span, i) => {
    const opacity = Math.min(1, Math.max(0, shown * (spans.length + 2) - i) / 2) * focusOpacity(focus, span);
    if (opacity === 0) return [];
    const text = model.patches.texts[i]!;
    return spanBar(rows, span, (line) => rows.y("patches", line), {
      key: `patch:${i}`,
      height: band,
      fill: "weight",
      fillOpacity: 0.28,
      text,
      font: "mono",
      size: letterSize,
      opacity,
      ariaLabel: `patch ${i + 1}, “${text}”, bytes: ${span.end - span.start}`,
      cell: `patch:${i}:0`,
    });
  });
}

function tokenMarks(
  { tokens }: TokenizationModel,
  rows: TextRows,
  shown: number,
  focus: Span | undefined,
): Mark[] {
  return tokens.flatMap((token, i) =>
    spanBar(rows, token, (line) => rows.y("tokens", line), {
      key: `token:${i}`,
      height: band,
      fill: "cost",
      fillOpacity: 0.16,
      ...(token.part && { hatch: 0.6 }),
      text: token.text,
      font: "mono",
      size: letterSize,
      opacity: shown * focusOpacity(focus, token),
      ariaLabel: `token “${token.text}”: id ${token.id}`,
      cell: `token:${i}:0`,
    }),
  );
}
