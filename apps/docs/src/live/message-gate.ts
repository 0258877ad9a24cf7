import type { Message } from "@qkv/page";
import { isArray, slice } from "./primordials";

/** The end of a run. Lines and columns count from 1; an error outside of the example's code has none. */
export type Ending = { type: "done" } | { type: "error"; text: string; line?: number; column?: number };

/** Limits of one run. Lengths in UTF-16 code units. */
export const bounds = {
  /** Number of texts, checks and pictures. */
  lines: 1000,
  /** Number of sliders, fields, lists and buttons. */
  controls: 64,
  /** Length of one text. */
  text: 20_000,
  /** Total length of texts and labels. */
  texts: 500_000,
  /** Length of one picture. */
  picture: 2_000_000,
  /** Total length of pictures. */
  pictures: 8_000_000,
  /**
   * Total number of elements in pictures: a browser takes a second for thousands of them, and the time grows faster
   * than the number.
   */
  elements: 10_000,
  /** Number of a control's options. */
  options: 200,
} as const;

/** The gate between live code and the page. */
export type MessageGate = {
  /** Passes a copy of a message on while the run is within the limits. */
  pass(message: unknown): void;
  /** Passes on the end of a run, at most once, with at most one error. */
  end(ending: unknown): void;
};

/**
 * The gate of one run. Only copies pass, with the fields of a message and values of their types, within {@link bounds}: a
 * notice states what was truncated or dropped. The worker has one gate to limit what is sent; the page has another one, since
 * it cannot trust the first. It uses no functions that live code can replace.
 */
export function messageGate(send: (message: Message | Ending) => void): MessageGate {
  let lines = 0;
  let letters = 0;
  let drawn = 0;
  let drawnElements = 0;
  const labels: string[] = [];
  const ended = { done: false, error: false };
  const reported = { lines: false, texts: false, controls: false };

  const sayOnce = (what: keyof typeof reported, text: string) => {
    if (reported[what]) return;
    reported[what] = true;
    send({ type: "text", text, level: "warn" });
  };
  const fits = (copy: Message): boolean => {
    if (isControl(copy)) {
      for (let i = 0; i < labels.length; i++) if (labels[i] === copy.label) return false; // a known control
      if (labels.length === bounds.controls) {
        sayOnce("controls", `More than ${bounds.controls} controls: the rest is not shown.`);
        return false;
      }
    } else if (lines === bounds.lines) {
      sayOnce("lines", `More than ${bounds.lines} lines: the rest is not shown.`);
      return false;
    }
    // After the notice nothing else passes.
    if (reported.texts || letters + lettersOf(copy) > bounds.texts) {
      sayOnce("texts", `More than ${bounds.texts} characters of text: the rest is not shown.`);
      return false;
    }
    return true;
  };

  return {
    pass(message) {
      let copy = copyOf(message);
      if (!copy) return;
      if (copy.type === "picture") {
        const { length } = copy.svg;
        const elements = length <= bounds.picture ? elementsOf(copy.svg) : 0;
        const most =
          length > bounds.picture
            ? `${bounds.picture} characters per picture`
            : drawn + length > bounds.pictures
              ? `${bounds.pictures} characters for all pictures`
              : drawnElements + elements > bounds.elements
                ? `${bounds.elements} elements for all pictures`
                : undefined;
        if (most) {
          const text = `A picture of ${length} characters is not shown. The limit is ${most}.`;
          copy = { type: "text", text, level: "warn" };
        } else if (lines < bounds.lines) {
          drawn += length;
          drawnElements += elements;
        }
      }
      if (!fits(copy)) return;
      letters += lettersOf(copy);
      if (isControl(copy)) labels[labels.length] = copy.label;
      else lines++;
      send(copy);
    },
    end(ending) {
      const { type, text, line, column } = (ending ?? {}) as Record<string, unknown>;
      if ((type !== "done" && type !== "error") || ended[type]) return;
      ended[type] = true;
      if (type === "done") return send({ type });
      const place = typeof line === "number" && typeof column === "number" ? { line, column } : undefined;
      send({ type, text: cut(typeof text === "string" ? text : "Error"), ...place });
    },
  };
}

/** Controls that the reader can change. */
export const isControl = (message: Message): message is Control =>
  message.type === "slider" ||
  message.type === "field" ||
  message.type === "files" ||
  message.type === "choice";
export type Control = Extract<Message, { type: "slider" | "field" | "files" | "choice" }>;

/** A message with exactly the fields of its kind; undefined if one has another type. */
function copyOf(message: unknown): Message | undefined {
  const fields = (typeof message === "object" && message !== null ? message : {}) as Record<string, unknown>;
  // Each field is read once: a getter could return another value the second time.
  const { type } = fields;
  if (type === "picture") {
    const { svg } = fields;
    return typeof svg === "string" ? { type, svg } : undefined;
  }
  if (type === "text") {
    const { text, level } = fields;
    if (typeof text !== "string") return undefined;
    return { type, text: cut(text), level: level === "warn" || level === "error" ? level : "log" };
  }
  if (type === "check") {
    const { what, holds } = fields;
    return typeof what === "string" ? { type, what: cut(what), holds: holds === true } : undefined;
  }
  const { label } = fields;
  if (typeof label !== "string" || label.length > bounds.text) return undefined;
  if (type === "slider") {
    const { min, max, step, value } = fields;
    if (typeof min !== "number" || typeof max !== "number") return undefined;
    if (typeof step !== "number" || typeof value !== "number") return undefined;
    return { type, label, min, max, step, value };
  }
  if (type === "files") {
    const names = texts(fields["names"]);
    return names && { type, label, names };
  }
  const { value } = fields;
  if (typeof value !== "string") return undefined;
  if (type === "field") return { type, label, value: cut(value) };
  if (type === "choice") {
    const options = texts(fields["options"]);
    return options && { type, label, options, value: cut(value) };
  }
  return undefined;
}

/** A list of texts, truncated to the limits. */
function texts(list: unknown): string[] | undefined {
  if (!isArray(list)) return undefined;
  const copies: string[] = [];
  for (let i = 0; i < list.length && i < bounds.options; i++) {
    const text: unknown = list[i];
    if (typeof text !== "string") return undefined;
    copies[i] = cut(text);
  }
  return copies;
}

function cut(text: string): string {
  const { length } = text;
  return length <= bounds.text ? text : `${slice(text, 0, bounds.text)} … ${length} characters in total`;
}

/** Number of opening tags, an upper bound of the number of elements. */
function elementsOf(svg: string): number {
  let elements = 0;
  for (let i = 0; i < svg.length; i++) if (svg[i] === "<" && svg[i + 1] !== "/") elements++;
  return elements;
}

function lettersOf(message: Message): number {
  if (message.type === "text") return message.text.length;
  if (message.type === "check") return message.what.length;
  if (message.type === "picture") return 0;
  let letters = message.label.length;
  if (message.type === "field" || message.type === "choice") letters += message.value.length;
  const list = message.type === "choice" ? message.options : message.type === "files" ? message.names : [];
  for (let i = 0; i < list.length; i++) letters += list[i]!.length;
  return letters;
}
