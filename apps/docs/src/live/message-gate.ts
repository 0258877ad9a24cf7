import type { Message } from "@qkv/page";
import { isArray, slice } from "./primordials";

/** The end of a run. Lines and columns count from 1; an error from outside of the example's text has none. */
export type Ending = { type: "done" } | { type: "error"; text: string; line?: number; column?: number };

/** The most that one run may show. Lengths in UTF-16 code units. */
export const bounds = {
  /** Texts, checks and pictures. */
  lines: 1000,
  /** Sliders, fields, lists and buttons. */
  controls: 64,
  /** Of one text. */
  text: 20_000,
  /** Of all texts and labels. */
  texts: 500_000,
  /** Of one picture. */
  picture: 2_000_000,
  /** Of all pictures. */
  pictures: 8_000_000,
  /** Elements of all pictures: a browser takes a second for thousands of them, and longer for each than for the one before. */
  elements: 10_000,
  /** Of what a control lists. */
  options: 200,
} as const;

/** The gate between live code and the page. */
export type MessageGate = {
  /** Passes a copy of a message on, as long as the run has not shown all that a page takes. */
  pass(message: unknown): void;
  /** Passes on how the run ended: as done once, and with one error. */
  end(ending: unknown): void;
};

/**
 * The gate of one run. Only copies pass, with the fields that a message has and values of their kinds, and no more than
 * {@link bounds}: what is cut or left out is said in a line. The worker has one, so that nothing more is sent; the page
 * has another, so that it need not trust the first. It uses nothing that live code can replace.
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
  const fits = (one: Message): boolean => {
    if (isControl(one)) {
      for (let i = 0; i < labels.length; i++) if (labels[i] === one.label) return false; // it is there already
      if (labels.length === bounds.controls) {
        sayOnce("controls", `More than ${bounds.controls} controls: the rest is not shown.`);
        return false;
      }
    } else if (lines === bounds.lines) {
      sayOnce("lines", `More than ${bounds.lines} lines: the rest is not shown.`);
      return false;
    }
    // Once it is said that the rest is not shown, none of the rest is.
    if (reported.texts || letters + lettersOf(one) > bounds.texts) {
      sayOnce("texts", `More than ${bounds.texts} characters of text: the rest is not shown.`);
      return false;
    }
    return true;
  };

  return {
    pass(message) {
      let one = copyOf(message);
      if (!one) return;
      if (one.type === "picture") {
        const { length } = one.svg;
        const elements = length <= bounds.picture ? elementsOf(one.svg) : 0;
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
          one = { type: "text", text, level: "warn" };
        } else if (lines < bounds.lines) {
          drawn += length;
          drawnElements += elements;
        }
      }
      if (!fits(one)) return;
      letters += lettersOf(one);
      if (isControl(one)) labels[labels.length] = one.label;
      else lines++;
      send(one);
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

/** Controls that the reader can move or fill in. */
export const isControl = (message: Message): message is Control =>
  message.type === "slider" ||
  message.type === "field" ||
  message.type === "files" ||
  message.type === "choice";
export type Control = Extract<Message, { type: "slider" | "field" | "files" | "choice" }>;

/** A message with the fields of its kind and nothing else; nothing where one is of another kind. */
function copyOf(message: unknown): Message | undefined {
  const given = (typeof message === "object" && message !== null ? message : {}) as Record<string, unknown>;
  // Each field is read once: what is read again may be something else.
  const { type } = given;
  if (type === "picture") {
    const { svg } = given;
    return typeof svg === "string" ? { type, svg } : undefined;
  }
  if (type === "text") {
    const { text, level } = given;
    if (typeof text !== "string") return undefined;
    return { type, text: cut(text), level: level === "warn" || level === "error" ? level : "log" };
  }
  if (type === "check") {
    const { what, holds } = given;
    return typeof what === "string" ? { type, what: cut(what), holds: holds === true } : undefined;
  }
  const { label } = given;
  if (typeof label !== "string" || label.length > bounds.text) return undefined;
  if (type === "slider") {
    const { min, max, step, value } = given;
    if (typeof min !== "number" || typeof max !== "number") return undefined;
    if (typeof step !== "number" || typeof value !== "number") return undefined;
    return { type, label, min, max, step, value };
  }
  if (type === "files") {
    const names = texts(given["names"]);
    return names && { type, label, names };
  }
  const { value } = given;
  if (typeof value !== "string") return undefined;
  if (type === "field") return { type, label, value: cut(value) };
  if (type === "choice") {
    const options = texts(given["options"]);
    return options && { type, label, options, value: cut(value) };
  }
  return undefined;
}

/** A list of texts, cut where it is long. */
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

/** Counts opening tags: no fewer than there are elements. */
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
