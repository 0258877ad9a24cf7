import { checks, isList } from "@qkv/core";
import { full, tensor, where, zeros, type Tensor } from "@qkv/tensor";
import type { Scan, Steps } from "./scan.js";

/** Document of each token: `[T]`, or `[B][T]`. */
export type DocumentIds = ArrayLike<number> | readonly ArrayLike<number>[];

/** Options that reset the state at the start of a document, and leave it unchanged at padding. */
export type ResetOptions = {
  /**
   * Document of each token, any numbers: `[T]`, or `[B][T]` if sequences are packed differently. A document does not
   * see the one before it: the state starts again from zeros. Tokens of equal ids are one document, as in the mask
   * `documents`, so they must stand together: a state has forgotten a document that comes back. Default: one document.
   */
  documents?: DocumentIds;
  /**
   * Number of real tokens of each sequence, `[B]`. Later tokens are padding: they do not change the state, and their outputs are zeros.
   * Default: all tokens are real.
   */
  padding?: ArrayLike<number>;
};

/** Tokens `start … end - 1`. */
export type Segment = readonly [start: number, end: number];

/** Documents and padding of a call, and its sizes. */
type Resets = {
  readonly documents: DocumentIds | undefined;
  readonly padding: ArrayLike<number> | undefined;
  readonly batchSize: number;
  readonly seqLen: number;
};

/**
 * A scan that starts again from zeros where a document begins, and that does nothing at padding. A token may have
 * several steps; it is the first of them that starts again.
 */
export function withResets(scan: Scan, { documents, padding, batchSize, seqLen }: Resets): Scan {
  if (documents === undefined && padding === undefined) return scan;
  const begins = documents && documentStarts({ documents, padding, batchSize, seqLen });
  const padded = padding && paddedTokens(padding, batchSize, seqLen);
  return (steps, state) => {
    const withoutPadding = padded ? leaveOut(steps, padded) : steps;
    return scan(begins ? forget(withoutPadding, begins) : withoutPadding, state);
  };
}

/** The ranges of the documents of each sequence, without padding. */
export function segmentsOf({ documents, padding, batchSize, seqLen }: Resets): Segment[][] {
  const begins = documents && documentStarts({ documents, padding, batchSize, seqLen });
  const padded = padding && paddedTokens(padding, batchSize, seqLen);
  return Array.from({ length: batchSize }, (_, b) => {
    const firstPadded = padded?.[b]!.indexOf(true) ?? -1;
    const end = firstPadded < 0 ? seqLen : firstPadded;
    const marks = begins?.[begins.length === 1 ? 0 : b];
    const starts = Array.from({ length: end }, (_, t) => t).filter((t) => t === 0 || marks?.[t]);
    return starts.map((start, i) => [start, starts[i + 1] ?? end] as const);
  });
}

/** Sets outputs at padding to zero, also those that a mixer computes without the state. */
export function clearPadding(output: Tensor, padding: ArrayLike<number> | undefined): Tensor {
  if (padding === undefined) return output;
  const [batchSize, , seqLen] = output.shape as [number, number, number];
  return where(onSteps(paddedTokens(padding, batchSize, seqLen), output), filled(0, output), output);
}

/** A bool per token, for each sequence of the batch or once for all. */
export type Marks = readonly (readonly boolean[])[];

/** Sets steps at padding to zero, which leaves the state unchanged. By `where`, not by a product, since padding may contain NaN. */
function leaveOut({ query, key, value, decay, erase, ...rest }: Steps, padded: Marks): Steps {
  const clear = (x: Tensor) => where(onSteps(padded, x), filled(0, x), x);
  return {
    ...rest,
    query: clear(query),
    key: clear(key),
    value: clear(value),
    decay: decay && clear(decay),
    erase: erase && clear(erase),
  };
}

/** Resets the state where a document begins: the log decay is −∞, and reads of the state before the step give zeros. */
function forget({ query, key, value, decay, erase, ...rest }: Steps, begins: Marks): Steps {
  const mask = onFirstSteps(begins, key);
  const { dtype, device } = key;
  const perStep = [...key.shape.slice(0, 3), 1];
  const clear = (x: Tensor) => where(mask, filled(0, x), x);
  return {
    ...rest,
    query: rest.reads === "before" ? clear(query) : query,
    key,
    value,
    decay: where(mask, filled(-Infinity, key), decay ?? zeros(perStep, { dtype, device })),
    erase: erase && clear(erase),
  };
}

const filled = (value: number, { dtype, device }: Tensor): Tensor => full([1], value, { dtype, device });

/** Marks of tokens on all steps of each: `[B or 1, 1, steps, 1]`. */
const onSteps = (marks: Marks, like: Tensor): Tensor => maskOf(marks, like, () => true);

/** Marks of tokens on the first step of each. */
const onFirstSteps = (marks: Marks, like: Tensor): Tensor => maskOf(marks, like, (step) => step === 0);

function maskOf(marks: Marks, like: Tensor, holds: (step: number) => boolean): Tensor {
  const steps = like.shape[2]!;
  const perToken = steps / marks[0]!.length;
  const values = marks.flatMap((row) =>
    row.flatMap((mark) => Array.from({ length: perToken }, (_, step) => mark && holds(step))),
  );
  return tensor(values, { shape: [marks.length, 1, steps, 1], dtype: "bool", device: like.device });
}

/** True at the first token of each document but the first of a sequence. */
export function documentStarts({
  documents,
  padding,
  batchSize,
  seqLen,
}: Resets & { readonly documents: DocumentIds }): Marks {
  const check = checks("mix");
  const fix = "give each token the number of its document: [0, 0, 0, 1, 1] packs three tokens and two.";
  check.list({ documents }, "numbers, one for each token, or such a list per batch element", undefined, fix);
  const perBatch = isList(documents[0]);
  const lists = (
    perBatch ? Array.from(documents as readonly ArrayLike<number>[]) : [documents]
  ) as ArrayLike<number>[];
  const holds = (list: ArrayLike<number>) =>
    list.length === seqLen && Array.from(list).every(Number.isFinite);
  if (!(perBatch ? lists.length === batchSize : true) || !lists.every(holds)) {
    const received = `${lists.length} of ${lists.map(({ length }) => length).join(", ")}`;
    const expected = `${seqLen} numbers, or ${batchSize} lists of them`;
    check.refuse({ argument: "documents", received, expected, fix });
  }
  return lists.map((list, b) => {
    const starts = Array.from(list, (id, t) => t > 0 && id !== list[t - 1]);
    // Padding belongs to no document. A list for the whole batch is read up to the longest sequence without padding.
    const real = perBatch ? padding?.[b] : padding && Math.max(...Array.from(padding));
    const earlier = new Set<number>();
    for (let t = 0; t < (real ?? seqLen); t++) {
      if (t > 0 && !starts[t]) continue;
      if (earlier.has(list[t]!)) {
        check.refuse({
          argument: "documents",
          received: `${list[t]} at token ${t} again, after other documents`,
          expected: "tokens of a document next to each other: a state has forgotten the first of them",
          fix: "sort the tokens by document, or give those that come later a number of their own.",
        });
      }
      earlier.add(list[t]!);
    }
    return starts;
  });
}

/** True at padding tokens. */
export function paddedTokens(padding: ArrayLike<number>, batchSize: number, seqLen: number): Marks {
  const fix = "count each sequence's real tokens, without padding.";
  const isLength = (length: unknown) => Number.isInteger(length) && (length as number) >= 0;
  checks("mix").list(
    { padding },
    "integer lengths in tokens, 0 or more, one per batch element",
    isLength,
    fix,
  );
  if (padding.length !== batchSize)
    checks("mix").refuse({
      argument: "padding",
      received: `${padding.length} lengths`,
      expected: `${batchSize}, one per batch element`,
      fix,
    });
  return Array.from(padding, (length) => Array.from({ length: seqLen }, (_, t) => t >= length));
}
