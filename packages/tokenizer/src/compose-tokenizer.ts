import { checks, type Checks } from "@qkv/core";
import { checkHas, checkList } from "./check-arguments.js";
import { addedTokenFinder, isAddedToken, type AddedToken } from "./added-tokens.js";
import type { DecodeStream, TokenLookup } from "./decoders/decoder.js";
import { encodeBatch } from "./encode-batch.js";
import { sliceAligned, normalizeAligned, alignedText, type AlignedText } from "./normalizers/aligned-text.js";
import type { Normalizer } from "./normalizers/normalizer.js";
import { spansFromWidths, toCodePoints, trimSpans } from "./spans.js";
import type { Split } from "./pre-tokenizers/split.js";
import { paddedLength } from "./pad.js";
import type { Stages } from "./stages.js";
import type { TemplateItem } from "./template.js";
import { keptRanges } from "./truncate.js";
import type {
  DecodeOptions,
  EncodeBatchOptions,
  EncodeOptions,
  Encoding,
  EncodingOptions,
  PreTokenTrace,
  Tokenizer,
  Trace,
} from "./tokenizer.js";
import { toWellFormed } from "./to-well-formed.js";

/**
 * Composes a tokenizer from its five stages: normalizers, pre-tokenizers, model, post-processor, decoder. The loaders
 * of this package call it with the stages of a file.
 *
 * @example
 * ```ts
 * import { byteBpe, byteLevelDecoder, composeTokenizer, gpt2Split, lowercase } from "@qkv/tokenizer";
 *
 * const model = byteBpe({ vocab: ["h", "i", "Ġ", "hi", "Ġhi"], merges: ["h i", "Ġ hi"] });
 * const stages = { normalizers: [lowercase], preTokenizers: [gpt2Split], model, decoder: byteLevelDecoder };
 * const tokenizer = composeTokenizer(stages);
 * tokenizer.encode("HI hi"); // => [3, 4]
 * tokenizer.decode([3, 4]); // => "hi hi"
 * ```
 */
export function composeTokenizer(stages: Stages): Tokenizer {
  checkStages(stages);
  const { normalizers = [], preTokenizers = [], model, postProcessor, decoder, addedTokens = [] } = stages;
  const added = new Map(addedTokens.map((token) => [token.id, token]));
  const idsByContent = new Map(addedTokens.map(({ content, id }) => [content, id]));
  const vocabSize = addedTokens.reduce((most, { id }) => Math.max(most, id + 1), model.vocabSize);
  const finders = new Map<string, Finders>();
  const split = preTokenizers.length === 1 && isSplit(preTokenizers[0]!) ? preTokenizers[0] : undefined;

  const names: TokenLookup = {
    token: (id) => added.get(id)?.content ?? model.token(id) ?? "",
    bytes: (id) => (added.has(id) ? undefined : model.bytes?.(id)),
  };

  /** Finders of the added tokens, for text before and after normalization. */
  const findersFor = (special: EncodeOptions["specialTokens"]): Finders => {
    const allowed = special ?? stages.specialTokens ?? "allowed";
    const key = typeof allowed === "string" ? allowed : JSON.stringify(allowed);
    let cached = finders.get(key);
    if (!cached) {
      const enabledTokens = addedTokens.filter(
        (token) =>
          !token.special || allowed === "allowed" || allowed === "refused" || allowed.includes(token.content),
      );
      const normalized = enabledTokens
        .filter((token) => token.normalized)
        .map((token) => ({
          ...token,
          content: normalizers.reduce((text, { apply }) => apply(text, true), token.content),
        }));
      cached = {
        raw: addedTokenFinder(enabledTokens.filter((token) => !token.normalized)),
        normalized: addedTokenFinder(normalized),
        refuse: allowed === "refused",
      };
      if (finders.size > 15) finders.clear();
      finders.set(key, cached);
    }
    return cached;
  };

  /** Runs normalizers, pre-tokenizers and the model on one text. */
  const run = (text: string, options: EncodeOptions, sink: Sink, check: Checks): void => {
    const { raw, normalized, refuse } = findersFor(options.specialTokens);
    const input = alignedText(toWellFormed(text), sink.traced);
    const eachSegment = (input: AlignedText, find: Finders["raw"], each: (segment: AlignedText) => void) => {
      let from = 0;
      for (const { start, end, token } of find(input.text)) {
        if (refuse && token.special) refuseSpecial(check, token.content);
        if (from < start) each(sliceAligned(input, from, start));
        sink.added(token, sliceAligned(input, start, end));
        if (sink.isFull()) return;
        from = end;
      }
      if (from < input.text.length) each(sliceAligned(input, from, input.text.length));
    };
    eachSegment(input, raw, (segment) => {
      if (sink.isFull()) return;
      const normal = normalizers.reduce(normalizeAligned, segment);
      eachSegment(normal, normalized, (rest) => {
        if (sink.isFull()) return;
        if (split?.next && !sink.traced) {
          const { text } = rest;
          for (let start = 0; start < text.length && !sink.isFull();) {
            const end = split.next(text, start);
            model.append(text, start, end, sink.ids);
            start = end;
          }
          return;
        }
        let preTokens: readonly AlignedText[] = [rest];
        for (const step of preTokenizers) preTokens = preTokens.flatMap((each) => applyStep(each, step));
        sink.segment?.(normal);
        for (const preToken of preTokens) if (!sink.isFull()) sink.preToken(preToken);
      });
    });
  };

  const templateItems = (
    { addSpecialTokens, bos }: EncodeOptions,
    pair: boolean,
  ): readonly TemplateItem[] => {
    const addsSpecialTokens = addSpecialTokens ?? bos ?? true;
    if (!addsSpecialTokens || !postProcessor) return pair ? twoTexts : oneText;
    return pair ? postProcessor.pair : postProcessor.single;
  };

  const appendIds = (
    text: string,
    options: EncodeOptions,
    ids: number[],
    check: Checks,
    isFull = () => false,
  ): void => {
    const sink: Sink = {
      ids,
      traced: false,
      isFull,
      added: ({ id }) => ids.push(id),
      preToken: ({ text }) => model.append(text, 0, text.length, ids),
    };
    run(text, options, sink, check);
  };

  /** True if an id is decoded to text; refuses an id without a token. */
  const isDecoded = (id: number, skipSpecialTokens: boolean, check: Checks): boolean => {
    const token = added.get(id);
    const isInRange = Number.isSafeInteger(id) && id >= 0 && id < vocabSize;
    if (
      !isInRange ||
      (token === undefined && model.bytes?.(id) === undefined && model.token(id) === undefined)
    )
      refuseId(check, id, vocabSize);
    return !(token?.special && skipSpecialTokens);
  };

  const createStream = (options: DecodeOptions | undefined, check: Checks, push = check): DecodeStream => {
    const { skipSpecialTokens } = decodeArguments(options, check);
    const writer = decoder.start(names);
    return {
      push: (id) => (isDecoded(id, skipSpecialTokens, push) ? writer.push(id) : ""),
      end: writer.end,
    };
  };

  const createEncoding = (text: string, options: EncodingOptions, check: Checks): Encoding => {
    const { pair, unit = "utf16" } = options;
    check.oneOf({ unit }, ["utf16", "codePoint"]);
    if (pair !== undefined) check.type({ pair }, "string");
    const texts = pair === undefined ? [text] : [text, pair];
    const encoded = texts.map((each) => {
      const { ids, tokens, spans } = encodeWithSpans(each, options, check);
      if (stages.trimOffsets) trimSpans(tokens, spans, stages.trimOffsets.addedSpace);
      if (unit === "codePoint") toCodePoints(each, spans);
      return { ids, tokens, spans };
    });
    const template = templateItems(options, pair !== undefined);
    const numSpecialTokens = template.filter((item) => "id" in item).length;
    if (stages.truncation) {
      const lengths = encoded.map(({ ids }) => ids.length);
      keptRanges(lengths, numSpecialTokens, stages.truncation).forEach(([from, to], i) => {
        const each = encoded[i]!;
        each.ids = each.ids.slice(from, to);
        each.tokens = each.tokens.slice(from, to);
        each.spans = each.spans.slice(2 * from, 2 * to);
      });
    }
    const result: Encoding = { ids: [], tokens: [], offsets: [], typeIds: [], sequenceIds: [] };
    const emptySpan = [0, 0] as const; // shared by all padding tokens
    const add = (id: number, token: string, start: number, end: number, type: number, sequenceId: number) => {
      result.ids.push(id);
      result.tokens.push(token);
      result.offsets.push(end === 0 ? emptySpan : [start, end]);
      result.typeIds.push(type);
      result.sequenceIds.push(sequenceId);
    };
    const addPadding = () => {
      const { padId, typeId = 0 } = stages.padding!;
      const length = encoded.reduce((sum, { ids }) => sum + ids.length, numSpecialTokens);
      for (let at = length; at < paddedLength(length, stages.padding!); at++)
        add(padId, names.token(padId), 0, 0, typeId, -1);
    };
    if (stages.padding?.side === "left") addPadding();
    for (const item of template) {
      if ("id" in item) {
        add(item.id, names.token(item.id), 0, 0, item.typeId, -1);
        continue;
      }
      const sequenceId = item.sequence === "A" ? 0 : 1;
      const { ids, tokens, spans } = encoded[sequenceId]!;
      ids.forEach((id, at) =>
        add(id, tokens[at]!, spans[2 * at]!, spans[2 * at + 1]!, item.typeId, sequenceId),
      );
    }
    if (stages.padding && stages.padding.side !== "left") addPadding();
    return result;
  };

  const idOf = (token: string) => idsByContent.get(token) ?? model.id(token);

  return {
    stages,
    vocabSize,
    bosId: stages.bosId,
    eosId: stages.eosId,
    encode(text, encodeOptions) {
      const options = encodeArguments(text, encodeOptions, check.encode);
      if (stages.truncation || stages.padding) return createEncoding(text, options, check.encode).ids;
      const ids: number[] = [];
      for (const item of templateItems(options, false)) {
        if ("id" in item) ids.push(item.id);
        else appendIds(text, options, ids, check.encode);
      }
      return ids;
    },
    encodeBatch: (texts, options) =>
      encodeBatch(
        check.encodeBatch,
        texts,
        checkEncodeOptions<EncodeBatchOptions>(options, check.encodeBatch, ["padding", "truncation"]),
        {
          stages,
          id: idOf,
          encodeTexts: (texts, options, check) => ({
            template: templateItems(options, texts.length > 1),
            idLists: texts.map((text) => {
              const ids: number[] = [];
              appendIds(text, options, ids, check);
              return ids;
            }),
          }),
        },
      ),
    encoding: (text, options) =>
      createEncoding(
        text,
        encodeArguments<EncodingOptions>(text, options, check.encoding, ["pair", "unit"]),
        check.encoding,
      ),
    count(text, countOptions) {
      const options = encodeArguments<CountOptions>(text, countOptions, check.count, ["limit"]);
      const { limit = Infinity } = options;
      if (limit !== Infinity) check.count.finite({ limit });
      let total = 0;
      const ids: number[] = [];
      const isFull = () => {
        total += ids.length;
        ids.length = 0;
        return total > limit;
      };
      for (const item of templateItems(options, false)) {
        if ("id" in item) total += 1;
        else appendIds(text, options, ids, check.count, isFull);
        if (isFull()) break;
      }
      return total;
    },
    decode(iterableIds, options) {
      const ids = idList(iterableIds, check.decode);
      if (decoder.decodeAll) {
        const { skipSpecialTokens } = decodeArguments(options, check.decode);
        return decoder.decodeAll(
          ids.filter((id) => isDecoded(id, skipSpecialTokens, check.decode)),
          names,
        );
      }
      const { push, end } = createStream(options, check.decode);
      let text = "";
      for (const id of ids) text += push(id);
      return text + end();
    },
    decodeStream: (options) => createStream(options, check.decodeStream, check.push),
    token(id) {
      check.token.whole({ id });
      return added.get(id)?.content ?? model.token(id);
    },
    id(token) {
      check.id.type({ token }, "string");
      return idOf(token);
    },
    trace(text, encodeOptions) {
      const options = encodeArguments(text, encodeOptions, check.trace);
      const parts: Trace["parts"][number][] = [];
      const ids: number[] = [];
      let preTokens: PreTokenTrace[] = [];
      const sink: Sink = {
        ids,
        traced: true,
        isFull: () => false,
        segment({ text }) {
          preTokens = [];
          parts.push({ normalized: text, preTokens });
        },
        added(token) {
          ids.push(token.id);
          parts.push({ added: token.content, id: token.id });
        },
        preToken({ text }) {
          const preTokenIds: number[] = [];
          const tokens: string[] = [];
          appendTokens(text, preTokenIds, (token) => tokens.push(token));
          const steps = model.steps?.(text);
          preTokens.push({ preToken: text, ids: preTokenIds, tokens, ...(steps ? { steps } : {}) });
          ids.push(...preTokenIds);
        },
      };
      run(text, options, sink, check.trace);
      return {
        text,
        parts,
        ids: templateItems(options, false).flatMap((item) => ("id" in item ? [item.id] : ids)),
      };
    },
  };

  /** Appends the ids of a pre-token, and calls `each` with the tokens and their offsets in it. */
  function appendTokens(
    text: string,
    ids: number[],
    each: (token: string, start: number, end: number) => void,
  ): void {
    const widths: number[] = [];
    let at = ids.length;
    model.append(text, 0, text.length, ids, widths);
    spansFromWidths(text, widths, (start, end) => {
      const id = ids[at++]!;
      each(id === model.unknownSurfaceId ? text.slice(start, end) : names.token(id), start, end);
    });
  }

  /** Ids of one text, their tokens, and their spans in it, flat. */
  function encodeWithSpans(text: string, options: EncodeOptions, check: Checks) {
    const ids: number[] = [];
    const tokens: string[] = [];
    const spans: number[] = [];
    const sink: Sink = {
      ids,
      traced: true,
      isFull: () => false,
      added({ id }, { alignments }) {
        ids.push(id);
        tokens.push(names.token(id));
        spans.push(alignments!.starts[0]!, alignments!.ends.at(-1)!);
      },
      preToken({ text, alignments }) {
        appendTokens(text, ids, (token, start, end) => {
          tokens.push(token);
          spans.push(
            alignments!.starts[start] ?? 0,
            end > start ? alignments!.ends[end - 1]! : (alignments!.starts[start] ?? 0),
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

/** Receives the results of normalizers, pre-tokenizers and the model. */
type Sink = {
  readonly ids: number[];
  /** Offsets or tokens are wanted, so texts carry their alignments. */
  readonly traced: boolean;
  /** Called after each pre-token: true ends encoding early. */
  isFull(): boolean;
  added(token: AddedToken, text: AlignedText): void;
  preToken(text: AlignedText): void;
  /** Called before the pre-tokens of a text between added tokens. */
  segment?(normalized: AlignedText): void;
};

const oneText: readonly TemplateItem[] = [{ sequence: "A", typeId: 0 }];
const twoTexts: readonly TemplateItem[] = [
  { sequence: "A", typeId: 0 },
  { sequence: "B", typeId: 1 },
];

const isSplit = (step: Split | Normalizer): step is Split => "spans" in step;

function applyStep(text: AlignedText, step: Split | Normalizer): readonly AlignedText[] {
  if (!isSplit(step)) return [normalizeAligned(text, step)];
  const spans = step.spans(text.text);
  const preTokens: AlignedText[] = [];
  for (let i = 0; i < spans.length; i += 2) {
    if (spans[i]! < spans[i + 1]!) preTokens.push(sliceAligned(text, spans[i]!, spans[i + 1]!));
  }
  return preTokens;
}

type CountOptions = EncodeOptions & { limit?: number };

/** The checks of a tokenizer's methods, by their names. */
const check = /* @__PURE__ */ (() => ({
  encode: checks("encode"),
  encodeBatch: checks("encodeBatch"),
  encoding: checks("encoding"),
  count: checks("count"),
  decode: checks("decode"),
  decodeStream: checks("decodeStream"),
  push: checks("push"),
  token: checks("token"),
  id: checks("id"),
  trace: checks("trace"),
}))();

const decodeOptionNames = ["skipSpecialTokens"] as const;
const encodeOptionNames = ["addSpecialTokens", "bos", "specialTokens"] as const;

function encodeArguments<T extends EncodeOptions>(
  text: unknown,
  options: T | undefined,
  check: Checks,
  extraNames: readonly (keyof T & string)[] = [],
): T {
  const isOfBatch = (name: string) => options !== null && typeof options === "object" && name in options;
  if (Array.isArray(text) || ["padding", "truncation"].some(isOfBatch)) {
    check.refuse({
      ...(Array.isArray(text)
        ? { argument: "text", received: text }
        : { argument: "options", received: options }),
      expected: "one text, without padding and truncation",
      fix: "`encodeBatch(texts, { padding: true, truncation: { maxLength } })` encodes several texts to one length.",
    });
  }
  check.type({ text }, "string", "decode bytes first: `new TextDecoder().decode(bytes)`.");
  return checkEncodeOptions(options, check, extraNames);
}

function checkEncodeOptions<T extends EncodeOptions>(
  options: T | undefined,
  check: Checks,
  extraNames: readonly (keyof T & string)[],
): T {
  const checkedOptions = check.options(options, [...encodeOptionNames, ...extraNames] as never);
  const { specialTokens, addSpecialTokens = true, bos = true } = checkedOptions;
  check.type({ addSpecialTokens, bos }, "boolean");
  if (specialTokens !== undefined && !Array.isArray(specialTokens))
    check.oneOf({ specialTokens }, ["allowed", "ordinary", "refused"], "name one, or list the tokens.");
  return checkedOptions;
}

function decodeArguments(options: DecodeOptions | undefined, check: Checks): Required<DecodeOptions> {
  const { skipSpecialTokens = true } = check.options(options, decodeOptionNames);
  check.type({ skipSpecialTokens }, "boolean");
  return { skipSpecialTokens };
}

/** Ids as a list; refuses a single id, and text. */
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

/** Refuses invalid stages when the tokenizer is created, not at the first text. */
function checkStages(stages: Stages): void {
  const check = checks("composeTokenizer");
  const {
    model,
    decoder,
    normalizers = [],
    preTokenizers = [],
    addedTokens = [],
  } = check.options(stages, [
    "normalizers",
    "preTokenizers",
    "model",
    "postProcessor",
    "truncation",
    "padding",
    "trimOffsets",
    "decoder",
    "addedTokens",
    "specialTokens",
    "bosId",
    "eosId",
  ]);
  checkHas(check, { model }, ["append"], "a model, such as `byteBpe(…)`");
  checkHas(check, { decoder }, ["start"], "a decoder, such as `byteLevelDecoder`");
  const isNormalizer = (step: unknown) => typeof (step as Normalizer | null)?.apply === "function";
  const isStep = (step: unknown) => isNormalizer(step) || typeof (step as Split | null)?.spans === "function";
  checkList(check, { normalizers }, isNormalizer, "a list of normalizers, such as `[lowercase]`");
  checkList(check, { preTokenizers }, isStep, "a list of splits and normalizers, such as `[gpt2Split]`");
  checkList(check, { addedTokens }, isAddedToken, "a list of tokens with their `id` and `content`");
}
