import { checks, type Checks } from "@qkv/core";
import { checkHas, checkList } from "./check-arguments.js";
import { addedTokenFinder, isAddedToken, type AddedToken } from "./added-tokens.js";
import type { StreamingDecoder, TokenNames } from "./decoding/decode.js";
import { slicePassage, rewritePassage, wholePassage, type Passage } from "./rewriting/passage.js";
import type { Rewrite } from "./rewriting/rewrite.js";
import { spansOfWidths, toCodePoints, trimSpans } from "./spans.js";
import type { Split } from "./splitting/split.js";
import type { Stages } from "./stages.js";
import { paddedLength } from "./pad.js";
import type { TemplateItem } from "./template.js";
import { keptLengths } from "./truncate.js";
import type {
  DecodeOptions,
  EncodeOptions,
  Encoding,
  EncodingOptions,
  PieceTrace,
  Tokenizer,
  Trace,
} from "./tokenizer.js";
import { wellFormed } from "./well-formed.js";

/**
 * A tokenizer from its five stages: normalize, pre-tokenize, model, post-process, decode. The loaders of this package
 * are no more than this with what a file says.
 *
 * @example
 * ```ts
 * import { byteBpe, byteLevelDecode, composeTokenizer, gpt2Split, lowercase } from "@qkv/tokenizer";
 *
 * const model = byteBpe({ vocab: ["h", "i", "Ġ", "hi", "Ġhi"], merges: ["h i", "Ġ hi"] });
 * const stages = { normalize: [lowercase], preTokenize: [gpt2Split], model, decode: byteLevelDecode };
 * const tokenizer = composeTokenizer(stages);
 * tokenizer.encode("HI hi"); // => [3, 4]
 * tokenizer.decode([3, 4]); // => "hi hi"
 * ```
 */
export function composeTokenizer(stages: Stages): Tokenizer {
  checkStages(stages);
  const { normalize = [], preTokenize = [], model, postProcess, decode, addedTokens = [] } = stages;
  const added = new Map(addedTokens.map((token) => [token.id, token]));
  const idsByContent = new Map(addedTokens.map(({ content, id }) => [content, id]));
  const vocabSize = addedTokens.reduce((most, { id }) => Math.max(most, id + 1), model.vocabSize);
  const finders = new Map<string, Finders>();
  const split = preTokenize.length === 1 && isSplit(preTokenize[0]!) ? preTokenize[0] : undefined;

  const names: TokenNames = {
    token: (id) => added.get(id)?.content ?? model.token(id) ?? "",
    bytes: (id) => (added.has(id) ? undefined : model.bytes?.(id)),
  };

  /** Which added tokens are looked for, before and after the first stage. */
  const findersFor = (special: EncodeOptions["specialTokens"]): Finders => {
    const allowed = special ?? stages.specialTokens ?? "allowed";
    const key = typeof allowed === "string" ? allowed : JSON.stringify(allowed);
    let known = finders.get(key);
    if (!known) {
      const wanted = addedTokens.filter(
        (token) =>
          !token.special || allowed === "allowed" || allowed === "refused" || allowed.includes(token.content),
      );
      const normalized = wanted
        .filter((token) => token.normalized)
        .map((token) => ({
          ...token,
          content: normalize.reduce((text, { apply }) => apply(text, true), token.content),
        }));
      known = {
        raw: addedTokenFinder(wanted.filter((token) => !token.normalized)),
        normalized: addedTokenFinder(normalized),
        refuse: allowed === "refused",
      };
      if (finders.size > 15) finders.clear();
      finders.set(key, known);
    }
    return known;
  };

  /** Stages one to three, for one text. */
  const run = (text: string, options: EncodeOptions, sink: Sink, check: Checks): void => {
    const { raw, normalized, refuse } = findersFor(options.specialTokens);
    const input = wholePassage(wellFormed(text), sink.traced);
    const eachPart = (passage: Passage, find: Finders["raw"], each: (part: Passage) => void) => {
      let from = 0;
      for (const { start, end, token } of find(passage.text)) {
        if (refuse && token.special) refuseSpecial(check, token.content);
        if (from < start) each(slicePassage(passage, from, start));
        sink.added(token, slicePassage(passage, start, end));
        if (sink.full()) return;
        from = end;
      }
      if (from < passage.text.length) each(slicePassage(passage, from, passage.text.length));
    };
    eachPart(input, raw, (part) => {
      if (sink.full()) return;
      const clean = normalize.reduce(rewritePassage, part);
      eachPart(clean, normalized, (rest) => {
        if (sink.full()) return;
        if (split?.next && !sink.traced) {
          const { text } = rest;
          for (let start = 0; start < text.length && !sink.full();) {
            const end = split.next(text, start);
            model.append(text, start, end, sink.ids);
            start = end;
          }
          return;
        }
        let pieces: readonly Passage[] = [rest];
        for (const step of preTokenize) pieces = pieces.flatMap((piece) => applyStep(piece, step));
        sink.part?.(clean);
        for (const piece of pieces) if (!sink.full()) sink.piece(piece);
      });
    });
  };

  const templateOf = ({ addSpecialTokens, bos }: EncodeOptions, pair: boolean): readonly TemplateItem[] => {
    const wanted = addSpecialTokens ?? bos ?? true;
    if (!wanted || !postProcess) return pair ? twoTexts : oneText;
    return pair ? postProcess.pair : postProcess.single;
  };

  const idsOf = (
    text: string,
    options: EncodeOptions,
    ids: number[],
    check: Checks,
    full = () => false,
  ): void => {
    const sink: Sink = {
      ids,
      traced: false,
      full,
      added: ({ id }) => ids.push(id),
      piece: ({ text }) => model.append(text, 0, text.length, ids),
    };
    run(text, options, sink, check);
  };

  /** Whether an id is written; refused where it is no token. */
  const isWritten = (id: number, skipSpecialTokens: boolean, check: Checks): boolean => {
    const token = added.get(id);
    const inside = Number.isSafeInteger(id) && id >= 0 && id < vocabSize;
    if (!inside || (token === undefined && model.bytes?.(id) === undefined && model.token(id) === undefined))
      refuseId(check, id, vocabSize);
    return !(token?.special && skipSpecialTokens);
  };

  const decoderOf = (options: DecodeOptions | undefined, check: Checks, push = check): StreamingDecoder => {
    const { skipSpecialTokens = true } = check.options(options, decodeOptions);
    const writer = decode.start(names);
    return {
      push: (id) => (isWritten(id, skipSpecialTokens, push) ? writer.push(id) : ""),
      end: writer.end,
    };
  };

  const encodingOf = (text: string, options: EncodingOptions, check: Checks): Encoding => {
    const { pair, unit = "utf16" } = options;
    check.oneOf({ unit }, ["utf16", "codePoint"]);
    if (pair !== undefined) check.type({ pair }, "string");
    const texts = pair === undefined ? [text] : [text, pair];
    const encoded = texts.map((each) => {
      const { ids, tokens, spans } = traced(each, options, check);
      if (stages.trimOffsets) trimSpans(tokens, spans, stages.trimOffsets.addedSpace);
      if (unit === "codePoint") toCodePoints(each, spans);
      return { ids, tokens, spans };
    });
    const template = templateOf(options, pair !== undefined);
    const around = template.filter((item) => "id" in item).length;
    if (stages.truncate) {
      const lengths = [encoded[0]!.ids.length, encoded[1]?.ids.length ?? 0] as const;
      const kept = keptLengths(lengths, around, stages.truncate);
      encoded.forEach((each, i) => {
        const from = stages.truncate!.side === "left" ? each.ids.length - kept[i]! : 0;
        each.ids = each.ids.slice(from, from + kept[i]!);
        each.tokens = each.tokens.slice(from, from + kept[i]!);
        each.spans = each.spans.slice(2 * from, 2 * (from + kept[i]!));
      });
    }
    const result: Encoding = { ids: [], tokens: [], offsets: [], typeIds: [], texts: [] };
    const add = (id: number, token: string, start: number, end: number, type: number, which: number) => {
      result.ids.push(id);
      result.tokens.push(token);
      result.offsets.push([start, end]);
      result.typeIds.push(type);
      result.texts.push(which);
    };
    const fill = () => {
      const { padId, typeId = 0 } = stages.pad!;
      const length = encoded.reduce((sum, { ids }) => sum + ids.length, around);
      for (let at = length; at < paddedLength(length, stages.pad!); at++)
        add(padId, names.token(padId), 0, 0, typeId, -1);
    };
    if (stages.pad?.side === "left") fill();
    for (const item of template) {
      if ("id" in item) {
        add(item.id, names.token(item.id), 0, 0, item.type, -1);
        continue;
      }
      const which = item.text === "A" ? 0 : 1;
      const { ids, tokens, spans } = encoded[which]!;
      ids.forEach((id, at) => add(id, tokens[at]!, spans[2 * at]!, spans[2 * at + 1]!, item.type, which));
    }
    if (stages.pad && stages.pad.side !== "left") fill();
    return result;
  };

  return {
    stages,
    vocabSize,
    bosId: stages.bosId,
    eosId: stages.eosId,
    encode(text, given) {
      const options = encodeArguments(text, given, check.encode);
      if (stages.truncate || stages.pad) return encodingOf(text, options, check.encode).ids;
      const ids: number[] = [];
      for (const item of templateOf(options, false)) {
        if ("id" in item) ids.push(item.id);
        else idsOf(text, options, ids, check.encode);
      }
      return ids;
    },
    encoding: (text, given) =>
      encodingOf(
        text,
        encodeArguments<EncodingOptions>(text, given, check.encoding, ["pair", "unit"]),
        check.encoding,
      ),
    count(text, given) {
      const options = encodeArguments<CountOptions>(text, given, check.count, ["limit"]);
      const { limit = Infinity } = options;
      if (limit !== Infinity) check.count.finite({ limit });
      let total = 0;
      const ids: number[] = [];
      const full = () => {
        total += ids.length;
        ids.length = 0;
        return total > limit;
      };
      for (const item of templateOf(options, false)) {
        if ("id" in item) total += 1;
        else idsOf(text, options, ids, check.count, full);
        if (full()) break;
      }
      return total;
    },
    decode(given, options) {
      const ids = idList(given, check.decode);
      if (decode.whole) {
        const { skipSpecialTokens = true } = check.decode.options(options, decodeOptions);
        return decode.whole(
          ids.filter((id) => isWritten(id, skipSpecialTokens, check.decode)),
          names,
        );
      }
      const { push, end } = decoderOf(options, check.decode);
      let text = "";
      for (const id of ids) text += push(id);
      return text + end();
    },
    decoder: (options) => decoderOf(options, check.decoder, check.push),
    token(id) {
      check.token.whole({ id });
      return added.get(id)?.content ?? model.token(id);
    },
    id(token) {
      check.id.type({ token }, "string");
      return idsByContent.get(token) ?? model.id(token);
    },
    trace(text, given) {
      const options = encodeArguments(text, given, check.trace);
      const parts: Trace["parts"][number][] = [];
      const ids: number[] = [];
      let pieces: PieceTrace[] = [];
      const sink: Sink = {
        ids,
        traced: true,
        full: () => false,
        part({ text }) {
          pieces = [];
          parts.push({ normalized: text, pieces });
        },
        added(token) {
          ids.push(token.id);
          parts.push({ added: token.content, id: token.id });
        },
        piece({ text }) {
          const [own, tokens]: [number[], string[]] = [[], []];
          tokensOf(text, own, (token) => tokens.push(token));
          const steps = model.steps?.(text);
          pieces.push({ piece: text, ids: own, tokens, ...(steps ? { steps } : {}) });
          ids.push(...own);
        },
      };
      run(text, options, sink, check.trace);
      return {
        text,
        parts,
        ids: templateOf(options, false).flatMap((item) => ("id" in item ? [item.id] : ids)),
      };
    },
  };

  /** Appends the ids of a piece, and calls `each` with the tokens and where in the piece they are. */
  function tokensOf(
    text: string,
    ids: number[],
    each: (token: string, start: number, end: number) => void,
  ): void {
    const widths: number[] = [];
    let at = ids.length;
    model.append(text, 0, text.length, ids, widths);
    spansOfWidths(text, widths, (start, end) => {
      const id = ids[at++]!;
      each(id === model.surfaceId ? text.slice(start, end) : names.token(id), start, end);
    });
  }

  /** Ids of one text, their tokens, and their spans in it, flat. */
  function traced(text: string, options: EncodeOptions, check: Checks) {
    const ids: number[] = [];
    const tokens: string[] = [];
    const spans: number[] = [];
    const sink: Sink = {
      ids,
      traced: true,
      full: () => false,
      added({ id }, { origins }) {
        ids.push(id);
        tokens.push(names.token(id));
        spans.push(origins!.starts[0]!, origins!.ends.at(-1)!);
      },
      piece({ text, origins }) {
        tokensOf(text, ids, (token, start, end) => {
          tokens.push(token);
          spans.push(
            origins!.starts[start] ?? 0,
            end > start ? origins!.ends[end - 1]! : (origins!.starts[start] ?? 0),
          );
        });
      },
    };
    run(text, options, sink, check);
    return { ids, tokens, spans };
  }
}

type Finders = {
  raw: ReturnType<typeof addedTokenFinder>;
  normalized: ReturnType<typeof addedTokenFinder>;
  refuse: boolean;
};

/** Who wants the result of the first three stages. */
type Sink = {
  readonly ids: number[];
  /** Whether passages need their origins. */
  readonly traced: boolean;
  /** Asked after each piece: whether the rest is of no interest. */
  full(): boolean;
  added(token: AddedToken, passage: Passage): void;
  piece(piece: Passage): void;
  /** Called before the pieces of a text between added tokens. */
  part?(normalized: Passage): void;
};

const oneText: readonly TemplateItem[] = [{ text: "A", type: 0 }];
const twoTexts: readonly TemplateItem[] = [
  { text: "A", type: 0 },
  { text: "B", type: 1 },
];

const isSplit = (step: Split | Rewrite): step is Split => "spans" in step;

function applyStep(piece: Passage, step: Split | Rewrite): readonly Passage[] {
  if (!isSplit(step)) return [rewritePassage(piece, step)];
  const spans = step.spans(piece.text);
  const pieces: Passage[] = [];
  for (let i = 0; i < spans.length; i += 2) {
    if (spans[i]! < spans[i + 1]!) pieces.push(slicePassage(piece, spans[i]!, spans[i + 1]!));
  }
  return pieces;
}

type CountOptions = EncodeOptions & { limit?: number };

/** The checks of a tokenizer's methods, by their names. */
const check = /* @__PURE__ */ (() => ({
  encode: checks("encode"),
  encoding: checks("encoding"),
  count: checks("count"),
  decode: checks("decode"),
  decoder: checks("decoder"),
  push: checks("push"),
  token: checks("token"),
  id: checks("id"),
  trace: checks("trace"),
}))();

const decodeOptions = ["skipSpecialTokens"] as const;
const encodeOptions = ["addSpecialTokens", "bos", "specialTokens"] as const;

function encodeArguments<T extends EncodeOptions>(
  text: unknown,
  options: T | undefined,
  check: Checks,
  more: readonly (keyof T & string)[] = [],
): T {
  check.type({ text }, "string", "decode bytes first: `new TextDecoder().decode(bytes)`.");
  const given = check.options(options, [...encodeOptions, ...more] as never);
  const { specialTokens } = given;
  if (specialTokens !== undefined && !Array.isArray(specialTokens))
    check.oneOf({ specialTokens }, ["allowed", "ordinary", "refused"], "name one, or list the tokens.");
  return given;
}

/** Ids as a list; refuses one id by itself, and text. */
function idList(ids: Iterable<number>, check: Checks): readonly number[] {
  const isList = typeof ids === "object" && ids !== null && Symbol.iterator in ids;
  if (!isList)
    check.refuse({
      argument: "ids",
      received: ids,
      expected: "a list of token ids",
      fix:
        typeof ids === "number"
          ? `give a list: \`decode([${String(ids)}])\`.`
          : "give what `encode` returned.",
    });
  return Array.isArray(ids) ? (ids as number[]) : Array.from(ids);
}

function refuseSpecial(check: Checks, content: string): never {
  check.refuse({
    argument: "text",
    received: `a text with the special token ${JSON.stringify(content)}`,
    expected: "text without special tokens",
    fix: 'give `specialTokens: "allowed"` if the token is meant, `"ordinary"` to read it as text.',
  });
}

function refuseId(check: Checks, id: number, vocabSize: number): never {
  check.refuse({
    argument: "id",
    received: id,
    expected: `a token id from 0 to ${vocabSize - 1}`,
    fix:
      typeof id === "bigint"
        ? "give numbers: `Array.from(ids, Number)`."
        : "decode with the tokenizer whose vocabulary the ids come from.",
  });
}

/** Refuses stages that are none, before a text is the first to find out. */
function checkStages(stages: Stages): void {
  const check = checks("composeTokenizer");
  const {
    model,
    decode,
    normalize = [],
    preTokenize = [],
    addedTokens = [],
  } = check.options(stages, [
    "normalize",
    "preTokenize",
    "model",
    "postProcess",
    "truncate",
    "pad",
    "trimOffsets",
    "decode",
    "addedTokens",
    "specialTokens",
    "bosId",
    "eosId",
  ]);
  checkHas(check, { model }, ["append"], "a model, such as `byteBpe(…)`");
  checkHas(check, { decode }, ["start"], "a way to decode, such as `byteLevelDecode`");
  const isRewrite = (one: unknown) => typeof (one as Rewrite | null)?.apply === "function";
  const isStep = (one: unknown) => isRewrite(one) || typeof (one as Split | null)?.spans === "function";
  checkList(check, { normalize }, isRewrite, "a list of rewrites, such as `[lowercase]`");
  checkList(check, { preTokenize }, isStep, "a list of splits and rewrites, such as `[gpt2Split]`");
  checkList(check, { addedTokens }, isAddedToken, "a list of tokens with their `id` and `content`");
}
