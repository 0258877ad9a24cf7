import type { Mark } from "../mark.js";
import type { Span, TokenizationChoices, TokenizationModel } from "./model.js";
import { focusOpacity, type TextRows } from "./text-rows.js";

export type Patches = NonNullable<TokenizationModel["patches"]>;

/** The threshold of each byte: a patch starts if its entropy is higher. Unit: nats. */
export function thresholds(
  { entropies }: Pick<Patches, "entropies">,
  { rule, threshold, rise }: Pick<TokenizationChoices, "rule" | "threshold" | "rise">,
): (byte: number) => number {
  return (byte) => (rule === "threshold" ? threshold : (entropies[byte - 1] ?? 0) + rise);
}

/** Progress of the plot, from 0 to 1: of the bars (`grown`), and of the threshold line, which moves down (`sunk`). */
type Plotted = { grown: number; sunk: number; height: number; patchHeight: number };

/** The entropy of each byte as a bar, the threshold as a line, and cuts at bytes above it. */
export function entropyPlot(
  { bytes, patches }: TokenizationModel & { patches: Patches },
  choices: TokenizationChoices,
  rows: TextRows,
  { grown, sunk, height, patchHeight }: Plotted,
  focus: Span | undefined,
): Mark[] {
  const { entropies, starts } = patches;
  const maxEntropy = 1.12 * Math.max(1, ...entropies);
  const limit = thresholds(patches, choices);
  const limitNow = (byte: number) => limit(byte) + (1 - sunk) * Math.max(0, maxEntropy - limit(byte));
  const at = (line: number, nats: number) =>
    rows.y("entropy", line) + height - (Math.min(nats, maxEntropy) / maxEntropy) * height;
  const byteStretch = (byte: number) => rows.slots.stretches({ start: byte, end: byte + 1 })[0]!;
  const bars = bytes.map(({ hex }, byte): Mark => {
    const nats = entropies[byte]!;
    // The bars grow one after another, about four at a time.
    const part = Math.min(1, Math.max(0, grown * (bytes.length + 4) - byte) / 4);
    const { line, x, width } = byteStretch(byte);
    const top = Math.min(at(line, part * nats), at(line, 0) - 1);
    return {
      key: `entropy:${byte}`,
      kind: "rect",
      x: x + 2,
      y: top,
      width: width - 4,
      height: at(line, 0) - top,
      radius: 2,
      fill: "weight",
      fillOpacity: sunk > 0 && (byte === 0 || nats > limitNow(byte)) ? 0.85 : 0.28,
      opacity: focusOpacity(focus, { start: byte, end: byte + 1 }),
      ariaLabel: `entropy of byte ${byte + 1}, ${hex}, in nats: ${nats.toFixed(2)}`,
      cell: `byte:${byte}:0`,
    };
  });
  const cuts = starts
    .filter((byte) => byte > 0 && sunk > 0 && entropies[byte]! > limitNow(byte))
    .map((byte): Mark => {
      const { line, x } = byteStretch(byte);
      const [letters, plot] = [rows.y("characters", line), rows.y("entropy", line)];
      const end = patchHeight > 0 ? rows.y("patches", line) + patchHeight : plot + height;
      return {
        key: `cut:${byte}`,
        kind: "path",
        x,
        y: 0,
        d: `M0 ${letters}v24M0 ${plot}V${end}`,
        stroke: "text",
        dash: true,
      };
    });
  // Labels of the axis are left of the plot if there is room, as on a wide screen.
  const firstByte = rows.slots.stretches({ start: 0, end: 1 })[0];
  const hasMargin = firstByte !== undefined && firstByte.x > 40;
  const limitLines = rows.slots.lines.map((line, i): Mark => ({
    key: `limit:${i}`,
    kind: "path",
    x: 0,
    y: 0,
    d: steps(line, (byte) => (byte > 0 && limit(byte) <= maxEntropy ? at(i, limitNow(byte)) : undefined)),
    stroke: "text",
    strokeWidth: 2,
    layer: 1,
  }));
  const axis = rows.slots.lines.flatMap((line, i) => axisMarks(line, i));
  return sunk > 0 ? [...axis, ...bars, ...limitLines, ...cuts, ...limitLabel()] : [...axis, ...bars];

  /** Path of one horizontal line for each byte, at its own height. */
  function steps({ start, end }: Span, y: (byte: number) => number | undefined): string {
    let d = "";
    for (let byte = start; byte < end && byte < bytes.length; byte++) {
      const [{ x, width }, top] = [byteStretch(byte), y(byte)];
      if (top !== undefined) d += `M${x.toFixed(1)} ${top.toFixed(1)}h${width.toFixed(1)}`;
    }
    return d;
  }

  function axisMarks(span: Span, line: number): Mark[] {
    const [first] = rows.slots.stretches(span);
    if (!first) return [];
    const ticks = [0, 1, 2, 3, 4, 5].filter((nats) => nats < maxEntropy && (nats === 0 || hasMargin));
    return ticks.flatMap((nats): Mark[] => {
      const y = at(line, nats);
      const tick: Mark = {
        key: `axis:${line}:${nats}`,
        kind: "path",
        x: first.x,
        y,
        d: `M0 0H${first.width}`,
        stroke: "rule",
      };
      // A label of the axis that the label of the threshold would cover.
      const covered =
        sunk > 0 && choices.rule === "threshold" && line === 0 && Math.abs(y - at(0, limitNow(1))) < 13;
      if (nats === 0 || covered) return [tick];
      const text = nats === 1 ? "1 nat" : `${nats} nats`;
      return [
        tick,
        {
          ...tick,
          key: `${tick.key}:text`,
          kind: "text",
          x: first.x - 6,
          y: y + 4,
          text,
          anchor: "end",
          size: 11,
          fill: "quiet",
        },
      ];
    });
  }

  /** Label of the threshold: left of the line, or above the plot on a narrow screen. */
  function limitLabel(): Mark[] {
    const line = rows.slots.lines[0];
    if (!line || bytes.length < 2) return [];
    const text =
      choices.rule === "threshold"
        ? `above ${limitNow(1).toFixed(1)}`
        : `before + ${choices.rise.toFixed(1)}`;
    const { x, width } = rows.slots.stretches(line)[0]!;
    const place = hasMargin
      ? ({
          x: x - 6,
          y: choices.rule === "threshold" ? at(0, limitNow(1)) + 4 : at(0, 0),
          anchor: "end",
        } as const)
      : ({ x: x + width, y: rows.y("entropy", 0) - 5, anchor: "end" } as const);
    return [{ key: "limit:label", kind: "text", ...place, text, weight: 600, layer: 2 }];
  }
}
