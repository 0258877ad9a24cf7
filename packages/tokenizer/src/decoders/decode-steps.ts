import { checks } from "@qkv/core";
import { checkList } from "../check-arguments.js";
import { replaceMatches, type Pattern } from "../regex/compile-pattern.js";
import { unicodeToBytes } from "../models/byte-bpe.js";
import { byteFallbackValue } from "../models/character-bpe.js";
import type { Decoder } from "./decoder.js";

/** The state of a decode step on one text. */
export type DecodeStepState = {
  /** The text for the next step, or undefined for none yet. */
  push(token: string): string | undefined;
  /** The remaining text at the end, if any. */
  end?(): string | undefined;
};

/** A step of the decoder (`Sequence` of decoders in Hugging Face's library), started anew for each text. */
export type DecodeStep = {
  readonly name: string;
  start(): DecodeStepState;
  /** Its entry in `tokenizer.json`; without one the tokenizer cannot be saved. */
  readonly json?: unknown;
};

/** Composes a decoder from steps: the output of the last one is text. */
export function decodeSteps(steps: readonly DecodeStep[]): Decoder {
  const isStep = (step: unknown) => typeof (step as DecodeStep | null)?.start === "function";
  checkList(checks("decodeSteps"), { steps }, isStep, "a list of steps, such as `[byteLevelStep]`");
  return {
    name: steps.map(({ name }) => name).join(", ") || "tokens",
    json: steps.length === 1 ? steps[0]!.json : { type: "Sequence", decoders: steps.map(({ json }) => json) },
    start(tokens) {
      let states = steps.map((step) => step.start());
      const pass = (token: string | undefined, from: number): string => {
        let text = token;
        for (let i = from; i < states.length && text !== undefined; i++) text = states[i]!.push(text);
        return text ?? "";
      };
      return {
        push: (id) => pass(tokens.token(id), 0),
        end() {
          const rest = states.map((step, i) => pass(step.end?.(), i + 1)).join("");
          states = steps.map((step) => step.start());
          return rest;
        },
      };
    },
  };
}

function mapStep(name: string, map: (token: string, first: boolean) => string, json: unknown): DecodeStep {
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

/** Converts byte-to-unicode tokens to UTF-8. A token with another character is text. */
export const byteLevelStep: DecodeStep = {
  name: "bytes",
  json: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
  start() {
    const utf8 = new TextDecoder("utf-8", { ignoreBOM: true }); // U+FEFF is text here, as any other character
    return {
      push: (token) =>
        utf8.decode(unicodeToBytes(token) ?? new TextEncoder().encode(token), { stream: true }),
      end: () => utf8.decode(),
    };
  },
};

/** Decodes byte tokens (`<0x41>`) with their neighbours as UTF-8; invalid bytes become U+FFFD. */
export const byteFallbackStep: DecodeStep = {
  name: "byte fallback",
  json: { type: "ByteFallback" },
  start() {
    const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
    return {
      push(token) {
        const byte = byteFallbackValue(token);
        if (byte === undefined) return utf8.decode() + token;
        return utf8.decode(Uint8Array.of(byte), { stream: true }) || undefined;
      },
      end: () => utf8.decode() || undefined,
    };
  },
};

/** Replaces each `found` in a token by `content`. */
export function replaceStep(found: string, content: string): DecodeStep {
  checks("replaceStep").type({ found, content }, "string");
  const json = { type: "Replace", pattern: { String: found }, content };
  return mapStep(
    `replace ${found}`,
    (token) => (found === "" ? token : token.replaceAll(found, () => content)),
    json,
  );
}

/** {@link replaceStep} for each match of a compiled pattern. */
export function replacePatternStep(pattern: Pattern, content: string, json: unknown): DecodeStep {
  return mapStep("replace", (token) => replaceMatches(pattern, token, content), json);
}

/** Joins the tokens to one text (`Fuse`). */
export const fuseStep: DecodeStep = /* @__PURE__ */ mapStep("fuse", (token) => token, { type: "Fuse" });

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
    return mapStep("strip", (token) => stripRight(stripLeft(token, content, start), content, stop), json);
  }
  return {
    name: "strip",
    json,
    start() {
      let remaining = start; // repetitions still to strip at the start
      let atStart = true;
      let pending = ""; // possibly the end of the text
      return {
        push(token) {
          let text = token;
          if (atStart && text !== "") {
            const stripped = stripLeft(text, content, remaining);
            remaining -= (text.length - stripped.length) / Math.max(1, content.length);
            atStart = stripped === "" && remaining > 0;
            text = stripped;
          }
          text = pending + text;
          const stripped = stripRight(text, content, stop);
          pending = text.slice(stripped.length);
          return stripped;
        },
        end: () => undefined,
      };
    },
  };
}

function stripLeft(text: string, content: string, maxCount: number): string {
  let at = 0;
  for (let count = 0; count < maxCount && content !== "" && text.startsWith(content, at); count++)
    at += content.length;
  return text.slice(at);
}

function stripRight(text: string, content: string, maxCount: number): string {
  let end = text.length;
  for (let count = 0; count < maxCount && content !== "" && text.endsWith(content, end); count++)
    end -= content.length;
  return text.slice(0, end);
}

/** `▁` becomes a space; the one at the start of the text is removed if the encoder added it. */
export function metaspaceStep(
  replacement = "▁",
  prepend: "always" | "first" | "never" = "always",
): DecodeStep {
  const check = checks("metaspaceStep");
  check.type({ replacement }, "string");
  check.oneOf({ prepend }, ["always", "first", "never"]);
  const json = { type: "Metaspace", replacement, prepend_scheme: prepend, split: true };
  const drop = (token: string) => (token.startsWith(replacement) ? token.slice(replacement.length) : token);
  return mapStep(
    "metaspace",
    (token, first) => (first && prepend !== "never" ? drop(token) : token).replaceAll(replacement, " "),
    json,
  );
}

/** WordPiece's tokens: words are separated by spaces, `##` continues one; `cleanup` joins English punctuation. */
export function wordPieceStep(prefix = "##", cleanup = true): DecodeStep {
  checks("wordPieceStep").type({ prefix }, "string");
  const json = { type: "WordPiece", prefix, cleanup };
  return mapStep(
    "WordPiece",
    (token, first) => {
      const spaced = first ? token : token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`;
      return cleanup ? cleanUp(spaced) : spaced;
    },
    json,
  );
}

/** Tokens that end a word have a suffix, which becomes the space between words. */
export function wordSuffixStep(suffix = "</w>"): DecodeStep {
  checks("wordSuffixStep").type({ suffix }, "string");
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

/** Joins tokens with spaces: the default for files without a decoder. */
export const joinWithSpacesStep: DecodeStep = /* @__PURE__ */ mapStep(
  "spaces",
  (token, first) => (first ? token : ` ${token}`),
  null,
);

/** CTC tokens: repetitions are collapsed, `pad` is removed, and a delimiter becomes a space. */
export function ctcStep(pad = "<pad>", delimiter = "|", cleanup = true): DecodeStep {
  checks("ctcStep").type({ pad, delimiter }, "string");
  return {
    name: "CTC",
    json: { type: "CTC", pad_token: pad, word_delimiter_token: delimiter, cleanup },
    start() {
      let previous: string | undefined;
      return {
        push(token) {
          const isRepeated = token === previous;
          previous = token;
          if (isRepeated) return undefined;
          const text = token.replaceAll(pad, () => "");
          return (cleanup ? cleanUp(text).replaceAll(delimiter, " ") : text) || undefined;
        },
      };
    },
  };
}

function cleanUp(text: string): string {
  return englishCleanup.reduce((result, [found, content]) => result.replaceAll(found, content), text);
}

const englishCleanup = [
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
