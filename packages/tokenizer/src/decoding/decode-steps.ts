import { checks } from "@qkv/core";
import { checkList } from "../check-arguments.js";
import { replaceMatches, type Pattern } from "../regex/compile-pattern.js";
import { fromLetters } from "../models/byte-bpe.js";
import { spelledByte } from "../models/character-bpe.js";
import type { Decode } from "./decode.js";

/** A step of decoding at work on one text. */
export type StepAtWork = {
  /** What goes on to the next step for a token, or undefined where nothing does yet. */
  push(token: string): string | undefined;
  /** What is left at the end, if anything. */
  end?(): string | undefined;
};

/** A step of decoding: it is begun anew for each text. */
export type DecodeStep = {
  readonly name: string;
  start(): StepAtWork;
  /** How `tokenizer.json` writes it; without it a tokenizer cannot be saved. */
  readonly json?: unknown;
};

/** The fifth stage from steps in a row; what the last one gives is text. */
export function decodeSteps(steps: readonly DecodeStep[]): Decode {
  const isStep = (step: unknown) => typeof (step as DecodeStep | null)?.start === "function";
  checkList(checks("decodeSteps"), { steps }, isStep, "a list of steps, such as `[byteLevelStep]`");
  return {
    name: steps.map(({ name }) => name).join(", ") || "tokens",
    json: steps.length === 1 ? steps[0]!.json : { type: "Sequence", decoders: steps.map(({ json }) => json) },
    start(tokens) {
      let atWork = steps.map((step) => step.start());
      const pass = (token: string | undefined, from: number): string => {
        let now = token;
        for (let i = from; i < atWork.length && now !== undefined; i++) now = atWork[i]!.push(now);
        return now ?? "";
      };
      return {
        push: (id) => pass(tokens.token(id), 0),
        end() {
          const rest = atWork.map((step, i) => pass(step.end?.(), i + 1)).join("");
          atWork = steps.map((step) => step.start());
          return rest;
        },
      };
    },
  };
}

function mapped(name: string, map: (token: string, first: boolean) => string, json: unknown): DecodeStep {
  return {
    name,
    json,
    start() {
      let first = true;
      return {
        push(token) {
          const result = map(token, first);
          first = false;
          return result;
        },
      };
    },
  };
}

/** Letters that stand for bytes become UTF-8. A token with another letter is text. */
export const byteLevelStep: DecodeStep = {
  name: "bytes",
  json: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
  start() {
    const utf8 = new TextDecoder("utf-8", { ignoreBOM: true }); // U+FEFF is text here, as any other character
    return {
      push: (token) => utf8.decode(fromLetters(token) ?? new TextEncoder().encode(token), { stream: true }),
      end: () => utf8.decode(),
    };
  },
};

/** Tokens that spell a byte (`<0x41>`) become UTF-8 with their neighbours; bytes that are none, U+FFFD. */
export const byteFallbackStep: DecodeStep = {
  name: "byte fallback",
  json: { type: "ByteFallback" },
  start() {
    const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
    return {
      push(token) {
        const byte = spelledByte(token);
        if (byte === undefined) return utf8.decode() + token;
        return utf8.decode(Uint8Array.of(byte), { stream: true }) || undefined;
      },
      end: () => utf8.decode() || undefined,
    };
  },
};

/** Writes `content` for each `found` in a token. */
export function replaceStep(found: string, content: string): DecodeStep {
  checks("replaceStep").type({ found, content }, "string");
  const json = { type: "Replace", pattern: { String: found }, content };
  return mapped(
    `replace ${found}`,
    (token) => (found === "" ? token : token.replaceAll(found, () => content)),
    json,
  );
}

/** The same by a pattern of JavaScript, with the flags g and u. */
export function replacePatternStep(pattern: Pattern, content: string, json: unknown): DecodeStep {
  return mapped("replace", (token) => replaceMatches(pattern, token, content), json);
}

/** Marks the place from which on the text is one, and no longer tokens. */
export const fuseStep: DecodeStep = /* @__PURE__ */ mapped("fuse", (token) => token, { type: "Fuse" });

/**
 * Drops up to `start` of a character at the start and up to `stop` at the end: of the text where `fused`, else of
 * each token.
 */
export function stripStep(content: string, start: number, stop: number, fused: boolean): DecodeStep {
  const check = checks("stripStep");
  check.type({ content }, "string");
  check.whole({ start, stop }, { min: 0, unit: "characters" });
  const json = { type: "Strip", content, start, stop };
  if (!fused) {
    return mapped("strip", (token) => stripRight(stripLeft(token, content, start), content, stop), json);
  }
  return {
    name: "strip",
    json,
    start() {
      let [left, atStart, held] = [start, true, ""];
      return {
        push(token) {
          let text = token;
          if (atStart && text !== "") {
            const stripped = stripLeft(text, content, left);
            left -= (text.length - stripped.length) / Math.max(1, content.length);
            atStart = stripped === "" && left > 0;
            text = stripped;
          }
          text = held + text;
          const kept = stripRight(text, content, stop);
          held = text.slice(kept.length); // it may turn out to be the end
          return kept;
        },
        end: () => undefined,
      };
    },
  };
}

function stripLeft(text: string, content: string, most: number): string {
  let at = 0;
  for (let count = 0; count < most && content !== "" && text.startsWith(content, at); count++)
    at += content.length;
  return text.slice(at);
}

function stripRight(text: string, content: string, most: number): string {
  let end = text.length;
  for (let count = 0; count < most && content !== "" && text.endsWith(content, end); count++)
    end -= content.length;
  return text.slice(0, end);
}

/** `▁` becomes a space; the one in front of the text goes, if the encoder put it there. */
export function metaspaceStep(
  replacement = "▁",
  prepend: "always" | "first" | "never" = "always",
): DecodeStep {
  const check = checks("metaspaceStep");
  check.type({ replacement }, "string");
  check.oneOf({ prepend }, ["always", "first", "never"]);
  const json = { type: "Metaspace", replacement, prepend_scheme: prepend, split: true };
  const drop = (token: string) => (token.startsWith(replacement) ? token.slice(replacement.length) : token);
  return mapped(
    "metaspace",
    (token, first) => (first && prepend !== "never" ? drop(token) : token).replaceAll(replacement, " "),
    json,
  );
}

/** WordPiece's tokens: words are separated by spaces, `##` continues one; `cleanup` joins English punctuation. */
export function wordPieceStep(prefix = "##", cleanup = true): DecodeStep {
  checks("wordPieceStep").type({ prefix }, "string");
  const json = { type: "WordPiece", prefix, cleanup };
  return mapped(
    "WordPiece",
    (token, first) => {
      const spaced = first ? token : token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`;
      return cleanup ? cleanUp(spaced) : spaced;
    },
    json,
  );
}

/** Tokens that end a word carry a suffix: it becomes the space between words. */
export function suffixStep(suffix = "</w>"): DecodeStep {
  checks("suffixStep").type({ suffix }, "string");
  return {
    name: "word ends",
    json: { type: "BPEDecoder", suffix },
    start() {
      let space = "";
      return {
        push(token) {
          const text = space + token.replaceAll(suffix, () => "");
          space = suffix !== "" && token.endsWith(suffix) ? " " : "";
          return text;
        },
      };
    },
  };
}

/** Tokens one behind the other with a space between them: what a file without a decoder asks for. */
export const spacedStep: DecodeStep = /* @__PURE__ */ mapped(
  "spaces",
  (token, first) => (first ? token : ` ${token}`),
  null,
);

/** CTC's tokens: repetitions are one, `pad` is none, and a delimiter stands for a space. */
export function ctcStep(pad = "<pad>", delimiter = "|", cleanup = true): DecodeStep {
  checks("ctcStep").type({ pad, delimiter }, "string");
  return {
    name: "CTC",
    json: { type: "CTC", pad_token: pad, word_delimiter_token: delimiter, cleanup },
    start() {
      let before: string | undefined;
      return {
        push(token) {
          const again = token === before;
          before = token;
          if (again) return undefined;
          const text = token.replaceAll(pad, () => "");
          return (cleanup ? cleanUp(text).replaceAll(delimiter, " ") : text) || undefined;
        },
      };
    },
  };
}

function cleanUp(text: string): string {
  return english.reduce((result, [found, content]) => result.replaceAll(found, content), text);
}

const english = [
  [" .", "."],
  [" ?", "?"],
  [" !", "!"],
  [" ,", ","],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [" do not", " don't"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
] as const;
