import { quoted } from "../attention-call/model.js";
import type { Step } from "../figure.js";
import {
  chosenKind,
  newlyEvicted,
  sequenceName,
  tokensText,
  type CacheKind,
  type CacheOperation,
  type CachesAtWorkChoices,
  type CachesAtWorkModel,
} from "./model.js";

/** One step for each operation. */
export function steps(model: CachesAtWorkModel, choices: CachesAtWorkChoices): Step[] {
  const kind = chosenKind(model, choices);
  return model.operations.map((operation, index) => ({
    id: stepId(operation, index),
    chapter: chapterName(operation),
    title: stepTitle(model, operation),
    text: stepText(model, kind, operation, index),
    milliseconds: operation.kind === "append" ? 2200 : 2600,
  }));
}

/** Id of a step: "3-append-b". */
export const stepId = ({ kind, sequence }: CacheOperation, index: number): string =>
  kind === "append" ? `${index}-append-${sequenceName(sequence).toLowerCase()}` : `${index}-${kind}`;

function chapterName({ kind, sequence }: CacheOperation): string {
  if (kind === "append") return `Append to ${sequenceName(sequence)}`;
  return { prompt: "Prompt", fork: "Fork", request: "New request" }[kind];
}

function stepTitle({ texts }: CachesAtWorkModel, { kind, sequence, lengths }: CacheOperation): string {
  const length = lengths[sequence]!;
  switch (kind) {
    case "prompt":
      return `A reads a prompt of ${tokensText(length)}`;
    case "append":
      return `Append ${quoted(texts[sequence]![length - 1]!)} to ${sequenceName(sequence)}`;
    case "fork":
      return "Fork A: B continues the same text";
    case "request":
      return `New request C: ${tokensText(length)}, the first ${sharedLength(texts[0]!, texts[2]!)} as in A`;
  }
}

function stepText(
  model: CachesAtWorkModel,
  kind: CacheKind,
  operation: CacheOperation,
  index: number,
): string {
  const { sequence } = operation;
  const moment = kind.moments[index]!;
  if (moment.refusal !== undefined) return `The cache refuses the tokens. ${moment.refusal}`;
  switch (operation.kind) {
    case "prompt":
      return `${kind.description} ${evictedText(model, kind, index)}`.trim();
    case "append":
      return appendText(model, kind, operation, index);
    case "fork":
      return `Nothing is copied and nothing is computed: B reads the memory of A. Only when one of them writes, it needs memory of its own.`;
    case "request": {
      const { reused } = moment.sequences[sequence]!;
      return reused > 0
        ? `C begins like A. The prefix tree finds ${tokensText(reused)} in full ${kind.names.block}s: they are shared, and only ${tokensText(moment.computed)} are computed.`
        : `This cache does not look for known beginnings: all ${tokensText(moment.computed)} are computed and stored again. ${evictedText(model, kind, index)}`.trim();
    }
  }
}

function appendText(
  model: CachesAtWorkModel,
  kind: CacheKind,
  { sequence }: CacheOperation,
  index: number,
): string {
  const { copied, rounded, regions } = kind.moments[index]!;
  const name = sequenceName(sequence);
  const parts: string[] = [];
  const { stored } = regions.find(({ holders }) => holders.includes(sequence)) ?? {};
  const isShared = kind.moments[index - 1]!.regions.some(
    ({ holders }) => holders.includes(sequence) && holders.length > 1,
  );
  if (stored === "state")
    parts.push(
      isShared
        ? `${name} must not change the state that others read: the new state gets memory of its own.`
        : "The state of each layer is changed by the token, and is as large as before.",
    );
  else if (copied === 0)
    parts.push(
      stored === "latent"
        ? "One latent and one rotary key per layer are written, for all heads. Nothing is copied."
        : "One key and one value per KV head and layer are written. Nothing is copied.",
    );
  else if (isShared) {
    const isPage = regions.every(({ form, stored }) => form === "block" && stored === "float32");
    parts.push(
      `Copy on write: ${name} must not write where others read. It first copies ${isPage ? `the half-full ${kind.names.block}, ${tokensText(copied)},` : "all its memory"} and writes to its copy.`,
    );
  } else {
    const isBlocks = regions.some(({ form }) => form === "block");
    const full = isBlocks ? `buffer of ${kind.names.block}s` : kind.names.buffer;
    parts.push(`The ${full} is full: ${tokensText(copied)} are copied to one of twice the size.`);
  }
  parts.push(evictedText(model, kind, index), roundedText(rounded));
  return parts.filter(Boolean).join(" ");
}

/** Sentence about the tokens that this operation evicted. */
function evictedText(model: CachesAtWorkModel, kind: CacheKind, index: number): string {
  const { sequence } = model.operations[index]!;
  const evicted = newlyEvicted(model, kind, index);
  const words = evicted.map((position) => quoted(model.texts[sequence]![position]!));
  if (words.length === 0) return "";
  const [first, last] = [words[0]!, words.at(-1)!];
  const isRing = kind.names.buffer === "ring buffer";
  if (words.length === 1) return `${first} is ${isRing ? "overwritten" : "evicted"}: it is forgotten.`;
  const isRange = words.length > 2 && evicted.at(-1)! - evicted[0]! === words.length - 1;
  const names = isRange ? `${first} to ${last}` : `${words.slice(0, -1).join(", ")} and ${last}`;
  return `${names} are not kept: they are forgotten.`;
}

/** Sentence about the tokens that this operation quantized. */
const roundedText = (count: number): string =>
  count === 0 ? "" : `${tokensText(count)} ${count === 1 ? "has" : "have"} become int8.`;

/** Length of the common prefix of two lists of tokens. */
function sharedLength(a: readonly string[], b: readonly string[]): number {
  const differs = a.findIndex((text, i) => text !== b[i]);
  return differs < 0 ? a.length : differs;
}
