import type { ControlValue, Message } from "@qkv/page";

/** A replacement in an example's code. `find` occurs in the code exactly once. */
export type Edit = { find: string; replace: string };

/** Outputs of an example: printed lines, titles of its pictures' marks, pictures and checks. */
export type Result = {
  lines: readonly string[];
  readings: readonly string[];
  pictures: readonly string[];
  checks: Readonly<Record<string, boolean>>;
};

/**
 * A change that a lesson suggests: a button that edits the example's code, sets its controls, or both, and runs it. `outcome`
 * checks the statement of `says`: CI asserts it, and the page evaluates it on the reader's device.
 */
export type Change = {
  /** The text of the button, an imperative: "Double the key of “cat”". */
  label: string;
  edits?: readonly Edit[];
  /** Values of controls, by label. */
  set?: Readonly<Record<string, number | string>>;
  /** Text shown after the run: the result, and the reason. */
  says: string;
  /** True if the statement of `says` holds. `before`: outputs of the unedited example. */
  outcome(after: Result, before: Result): boolean;
  /**
   * Checks the part of `says` that speaks of measured times. The page alone evaluates it: a busy machine of CI would refute
   * it now and then. Default: no such part.
   */
  timing?(after: Result, before: Result): boolean;
};

/** Collects the outputs that an example posted to its page. */
export function resultOf(messages: readonly Message[]): Result {
  const pictures = messages.flatMap((message) => (message.type === "picture" ? [message.svg] : []));
  return {
    lines: messages.flatMap((message) => (message.type === "text" ? message.text.split("\n") : [])),
    readings: pictures.flatMap((svg) =>
      [...svg.matchAll(/<title>([^<]*)<\/title>/g)].map(([, text = ""]) => text),
    ),
    pictures,
    checks: Object.fromEntries(
      messages.flatMap((message) => (message.type === "check" ? [[message.what, message.holds]] : [])),
    ),
  };
}

/** The numbers in a text, in order: 16,384 is one. */
export const numbersIn = (text: string): number[] =>
  (text.replace(/(\d),(?=\d{3}\b)/g, "$1").match(/-?\d+(\.\d+)?(e[+-]?\d+)?/g) ?? []).map(Number);

/** The numbers after `start` in the first text that begins with it; empty without such a text. */
export const numbersAfter = (texts: readonly string[], start: string): number[] =>
  numbersIn(texts.find((text) => text.startsWith(start))?.slice(start.length) ?? "");

type Place = Edit & { start: number; end: number };

/** Positions of the edits in the code, in order. */
function placesOf(code: string, edits: readonly Edit[]): Place[] {
  return edits
    .map(({ find, replace }) => {
      const start = code.indexOf(find);
      if (find === "" || start < 0 || code.includes(find, start + 1))
        throw new Error(
          `This occurs ${find === "" || start < 0 ? "nowhere" : "more than once"} in the example, ` +
            `expected exactly once: ${JSON.stringify(find)}`,
        );
      return { find, replace, start, end: start + find.length };
    })
    .sort((a, b) => a.start - b.start);
}

/**
 * The code with edits applied.
 *
 * @throws {Error} If the `find` of an edit does not occur exactly once, or edits overlap.
 */
export function edited(code: string, edits: readonly Edit[] = []): string {
  let [out, last] = ["", 0];
  for (const { start, end, find, replace } of placesOf(code, edits)) {
    if (start < last) throw new Error(`This edit overlaps the one before it: ${JSON.stringify(find)}`);
    out += code.slice(last, start) + replace;
    last = end;
  }
  return out + code.slice(last);
}

/** Removed and added lines of a diff. `line`: the first of them in the edited code, from 1. */
export type Hunk = { line: number; removed: readonly string[]; added: readonly string[] };

/** Hunks of the diff of the edits, in order. Edits of the same or adjacent lines are one hunk. */
export function hunksOf(code: string, edits: readonly Edit[] = []): Hunk[] {
  const groups: { from: number; to: number; edits: Edit[] }[] = [];
  for (const { start, end, find, replace } of placesOf(code, edits)) {
    const from = code.lastIndexOf("\n", start - 1) + 1;
    const stop = code.indexOf("\n", end);
    const to = stop < 0 ? code.length : stop;
    const group = groups.at(-1);
    if (group && from <= group.to + 1) {
      group.to = Math.max(group.to, to);
      group.edits.push({ find, replace });
    } else groups.push({ from, to, edits: [{ find, replace }] });
  }
  let shift = 0;
  return groups.map(({ from, to, edits }) => {
    const before = code.slice(from, to);
    const removed = before.split("\n");
    const after = edited(before, edits);
    const added = after === "" ? [] : after.split("\n");
    // Unchanged lines at the start and the end of both are not part of the hunk.
    let head = 0;
    while (head < Math.min(removed.length, added.length) && removed[head] === added[head]) head++;
    let tail = 0;
    while (
      tail < Math.min(removed.length, added.length) - head &&
      removed.at(-1 - tail) === added.at(-1 - tail)
    )
      tail++;
    const line = code.slice(0, from).split("\n").length + shift + head;
    shift += added.length - removed.length;
    return {
      line,
      removed: removed.slice(head, removed.length - tail),
      added: added.slice(head, added.length - tail),
    };
  });
}

/** True if the code and the controls are those after the change. */
export function isMade(
  change: Change,
  original: string,
  now: { code: string; values: Readonly<Record<string, ControlValue>> },
): boolean {
  const { set = {}, edits } = change;
  const labels = Object.keys(now.values);
  return (
    now.code === edited(original, edits) &&
    labels.length === Object.keys(set).length &&
    labels.every((label) => now.values[label] === set[label])
  );
}
