import { modelTinyBytes } from "@qkv/model-tiny/bytes";
import { choice, print, show, slider, textField } from "@qkv/page";
import { englishBytes } from "@qkv/tokenizer/english-bytes";
import {
  spacePatching,
  byteEntropies,
  stridedPatching,
  globalThreshold,
  monotonicConstraint,
  patchStarts,
  type Patcher,
} from "@qkv/tokenizer/patching";
import { load } from "@qkv/transformer";
import { byteModel } from "@qkv/transformer/patching";
import { pieces } from "@qkv/viz";

const ours = "The old captain looked at Daenerys Targaryen and said nothing.";
const text = textField("your text", { value: ours });
const threshold = slider("threshold, in nats", {
  min: 0,
  max: 5,
  step: 0.1,
  value: 2.1,
});
const rise = slider("rise, in nats", { min: 0, max: 3, step: 0.1, value: 0.8 });

// The entropy of a small model before each byte. A strong color means that the
// next byte is hard to predict.
const trained = choice("small model", ["counts", "transformer"]) !== "counts";
const model = trained
  ? byteModel(await load(await modelTinyBytes()))
  : englishBytes();
const bytes = new TextEncoder().encode(text);
const entropies = byteEntropies(bytes, model);
const letters = (from: number, to = bytes.length) => {
  const piece = new TextDecoder().decode(bytes.subarray(from, to));
  const hex = Array.from(bytes.subarray(from, to), (byte) =>
    byte.toString(16),
  ).join(" ");
  return piece.includes("\ufffd") ? hex : piece;
};
const each = Array.from(bytes.keys(), (at) => letters(at, at + 1));
const notes = Array.from(entropies, (nats) => `${nats.toFixed(2)} nats`);
const shades = Array.from(entropies, (nats) =>
  Math.min(1, nats / Math.log(256)),
);

// Four ways to split the text.
const cut = (label: string, patcher: Patcher) => {
  const starts = patchStarts(bytes, patcher, entropies);
  return {
    label,
    pieces: starts.map((start, i) => letters(start, starts[i + 1])),
  };
};
const rows = [
  cut(`entropy above ${threshold}`, globalThreshold(threshold)),
  cut(`entropy rises by more than ${rise}`, monotonicConstraint(rise)),
  cut("after spaces", spacePatching()),
  cut("every 4 bytes", stridedPatching(4)),
];
show(pieces([{ label: "bytes", pieces: each, notes, shades }, ...rows]));

// A higher threshold never gives more patches.
const count = (nats: number) =>
  patchStarts(bytes, globalThreshold(nats), entropies).length;
if (count(threshold + 0.5) > count(threshold)) throw new Error("more patches");
const sizes = rows.map(
  ({ label, pieces }) =>
    `${label}: ${(bytes.length / Math.max(1, pieces.length)).toFixed(1)}`,
);
print("bytes per patch —", sizes.join("; "));

// First letters of words are harder to predict than the others.
const isFirst = (at: number) => at === 0 || bytes[at - 1] === 0x20;
const mean = (list: number[]) =>
  list.reduce((sum, x) => sum + x, 0) / list.length;
const inside = [...entropies].filter((_, at) => !isFirst(at));
const first = [...entropies].filter((_, at) => isFirst(at));
if (text === ours && !(mean(first) > 1.5 * mean(inside)))
  throw new Error("first letters should be harder to predict");
