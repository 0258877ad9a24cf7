import { quoted } from "../attention-call/model.js";
import { fixed } from "../fixed.js";
import { bytesText } from "../bytes-text.js";
import type { Mark } from "../mark.js";
import { wrapText } from "../wrap-text.js";
import { forgottenHeight, forgottenTokens } from "./forgotten-tokens.js";
import { pageTable, pageTableHeight } from "./page-table.js";
import { roundedKey, roundedKeyHeight } from "./rounded-key.js";
import { shareText } from "./share-text.js";
import {
  countStored,
  newlyEvicted,
  sequenceName,
  tokensText,
  type CacheKind,
  type CachesAtWorkModel,
} from "./model.js";

type Place = { x: number; y: number; width: number };

const line = 19;
const headingHeight = 24;
/** Rows of the table of numbers, at most, and lines of text about the next token. */
const [maxNumberRows, nextLines] = [4, 3];
const numbersHeight = headingHeight + maxNumberRows * line + 10 + nextLines * 16 + 18;

/** Properties of a kind of cache that decide about the content of its panel. */
function traits({ moments, rounded, names }: CacheKind) {
  return {
    rounds: Object.keys(rounded).length > 0,
    evicts: moments.some((moment) => countStored(moment, "evicted") > 0),
    reuses: moments.some(({ sequences }) => sequences.some((own) => (own?.reused ?? 0) > 0)),
    pages: names.block === "page",
  };
}

/** Height of the panel of a kind at its largest moment. Unit: pixels. */
export function panelHeight(model: CachesAtWorkModel, kind: CacheKind, width: number): number {
  const { rounds, evicts, pages } = traits(kind);
  if (rounds) return numbersHeight + roundedKeyHeight(kind);
  if (evicts) return numbersHeight + forgottenHeight(kind);
  return numbersHeight + (pages ? pageTableHeight(kind, width) : 0);
}

/** Numbers of an operation, the next token, and details of the kind of cache. */
export function panel(
  model: CachesAtWorkModel,
  kind: CacheKind,
  index: number,
  focused: { sequence: number; position: number } | undefined,
  { x, y, width }: Place,
): Mark[] {
  const { rounds, evicts, pages } = traits(kind);
  const place = { x, y: y + numbersHeight, width };
  const rows = operationNumbers(model, kind, index);
  return [
    { key: "ledger:heading", kind: "text", x, y: y + 13, text: "This step", size: 14, weight: 600 },
    ...rows.flatMap(([name, value], i): Mark[] => {
      const baseline = y + headingHeight + 12 + i * line;
      const text = { kind: "text", y: baseline } as const;
      return [
        { ...text, key: `ledger:${i}:name`, x, text: name, fill: "quiet" },
        { ...text, key: `ledger:${i}:value`, x: x + width, text: value, anchor: "end", weight: 600 },
      ];
    }),
    ...wrapText(nextText(model, kind, index), width).map((text, i): Mark => ({
      key: `next:${i}`,
      kind: "text",
      x,
      y: y + headingHeight + rows.length * line + 20 + i * 16,
      text,
    })),
    ...details(),
  ];

  /** The part of the panel that only this kind of cache has. */
  function details(): Mark[] {
    if (rounds) return roundedKey(model, kind, index, focused, place);
    if (evicts) return forgottenTokens(model, kind, index, place);
    return pages ? pageTable(kind, kind.moments[index]!, place) : [];
  }
}

/** Names and numbers of an operation. */
function operationNumbers(model: CachesAtWorkModel, kind: CacheKind, index: number): [string, string][] {
  const { rounds, evicts, reuses } = traits(kind);
  const { kind: operation, sequence } = model.operations[index]!;
  const { computed, copied, copiedBytes, rounded, bytes, sequences } = kind.moments[index]!;
  const count = (value: number) => (value === 0 ? "none" : tokensText(value));
  const growth = bytes - (kind.moments[index - 1]?.bytes ?? 0);
  const reused = operation === "request" ? (sequences[sequence]?.reused ?? 0) : 0;
  return [
    ["Keys and values computed", count(computed)],
    ...(reuses ? [["Reused from the prefix tree", count(reused)] as [string, string]] : []),
    ...(evicts ? [["Forgotten", count(newlyEvicted(model, kind, index).length)] as [string, string]] : []),
    ...(rounds ? [["Rounded to int8", count(rounded)] as [string, string]] : []),
    ["Copied in memory", copied === 0 ? "none" : `${tokensText(copied)}, ${bytesText(copiedBytes)}`],
    [
      "Allocated",
      growth === 0
        ? bytesText(bytes)
        : `${growth > 0 ? "+" : "−"}${bytesText(Math.abs(growth))} = ${bytesText(bytes)}`,
    ],
  ];
}

/** The prediction with this cache, compared with that of all tokens in float32. */
function nextText(model: CachesAtWorkModel, kind: CacheKind, index: number): string {
  const { sequence } = model.operations[index]!;
  const { next, refusal } = kind.moments[index]!;
  if (refusal !== undefined)
    return `${sequenceName(sequence)} could not store its token. Nothing was changed.`;
  if (kind.weights === "random" && model.operations[index]!.kind !== "fork")
    return "Our small model has no layers of this form: these have random weights, so there is no prediction to compare.";
  if (!next) return "Nothing was computed, so there is no new prediction.";
  const { text, exact, probability, difference } = next;
  const prediction = `Next token after ${sequenceName(sequence)}: ${quoted(text)}`;
  if (difference === 0)
    return `${prediction} ${fixed(100 * exact, 0)}%, bit for bit the prediction with all tokens in float32.`;
  const digits = [0, 1, 2].find((each) => fixed(100 * exact, each) !== fixed(100 * probability, each)) ?? 2;
  return `${prediction} ${fixed(100 * probability, digits)}%, instead of ${fixed(100 * exact, digits)}% with all tokens in float32. ${shareText(difference)} of the probability moved.`;
}
