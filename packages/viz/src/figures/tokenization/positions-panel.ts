import { countText } from "../bytes-text.js";
import type { Mark } from "../mark.js";
import { bytesEach, noteLines } from "./counts-panel.js";
import type { Patches } from "./entropy-plot.js";
import type { TokenizationModel } from "./model.js";

/** The positions that a large model reads: bytes, patches, tokens. `patched` and `compared` fade the last two in. */
export function positionsPanel(
  { bytes, patches, tokens, vocabulary }: TokenizationModel & { patches: Patches },
  { patched, compared }: { patched: number; compared: number },
  { width, y }: { width: number; y: number },
): { marks: Mark[]; bottom: number } {
  const phone = width < 640;
  const margin = phone ? 4 : 8;
  const [left, right] = [margin + 62, width - margin - (phone ? 164 : 290)];
  const marks: Mark[] = [
    {
      key: "positions:title",
      kind: "text",
      x: margin,
      y: y + 12,
      text: "Positions that the large model reads",
      size: 13,
      weight: 600,
    },
  ];
  const rows = [
    { name: "bytes", count: bytes.length, opacity: 1 },
    { name: "patches", count: patches.starts.length, opacity: patched },
    { name: "tokens", count: tokens.length, opacity: compared },
  ];
  rows.forEach(({ name, count, opacity }, i) => {
    const top = y + 24 + 28 * i;
    const scores = `${countText(count)}² = ${countText(count * count)} scores`;
    const letters = { kind: "text", y: top + 16 } as const;
    marks.push(
      { ...letters, key: `positions:${name}`, x: margin, text: name },
      {
        key: `positions:${name}:bar`,
        kind: "rect",
        x: left,
        y: top + 3,
        width: (count / Math.max(1, bytes.length)) * (right - left),
        height: 18,
        radius: 2,
        fill: name === "patches" ? "weight" : "cost",
        fillOpacity: name === "patches" ? 0.75 : 0.5,
        opacity,
        ariaLabel: `${name}: ${count}`,
        cell: `positions:${i}:0`,
      },
      { ...letters, key: `positions:${name}:count`, x: right + 8, text: `${count}`, weight: 700, opacity },
      {
        ...letters,
        key: `positions:${name}:each`,
        x: width - margin,
        text: phone || name === "bytes" ? scores : `${bytesEach(bytes.length, count)}; ${scores}`,
        anchor: "end",
        fill: "quiet",
        opacity,
      },
    );
  });
  const note = noteLines(
    "positions:note",
    `Entropies: ${patches.madeBy}. Tokens: vocabulary trained on ${vocabulary.trainedOn}. Scores are those of one attention head.`,
    { x: margin, y: y + 26 + 28 * rows.length, width: width - 2 * margin },
  );
  return { marks: [...marks, ...note.marks], bottom: note.bottom + 6 };
}
