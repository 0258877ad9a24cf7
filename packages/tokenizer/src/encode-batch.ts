import type { Checks } from "@qkv/core";
import { checkList, isText } from "./check-arguments.js";
import { checkPadding, pad, type Padding } from "./pad.js";
import type { Stages } from "./stages.js";
import type { TemplateItem } from "./template.js";
import type { BatchText, EncodeBatchOptions, EncodedBatch, EncodeOptions } from "./tokenizer.js";
import { checkTruncation, keptRanges, type Truncation } from "./truncate.js";

/** The parts of a tokenizer that encode one text. */
export type TextsEncoder = {
  readonly stages: Stages;
  /** The id of a token, or undefined. */
  id(token: string): number | undefined;
  /** Ids of each text, and the template that joins them. */
  encodeTexts(
    texts: readonly string[],
    options: EncodeOptions,
    check: Checks,
  ): { template: readonly TemplateItem[]; idLists: readonly number[][] };
};

/** Encodes texts, truncates them, and pads them to one length. */
export function encodeBatch(
  check: Checks,
  texts: readonly BatchText[],
  { padding, truncation, ...options }: EncodeBatchOptions,
  { stages, id, encodeTexts }: TextsEncoder,
): EncodedBatch {
  checkList(check, { texts }, isBatchText, "a list of texts, or of pairs of texts");
  const limit = truncationOf(check, truncation, stages);
  const filling = paddingOf(check, padding, stages, id);
  const rows = texts.map((text) => {
    const { template, idLists } = encodeTexts(typeof text === "string" ? [text] : text, options, check);
    const numSpecialTokens = template.filter((item) => "id" in item).length;
    if (limit) check.whole({ "truncation.maxLength": limit.maxLength }, roomFor(numSpecialTokens));
    const ranges = keptRanges(
      idLists.map(({ length }) => length),
      numSpecialTokens,
      limit,
    );
    const kept = idLists.map((ids, i) => ids.slice(...ranges[i]!));
    const items = template.map((item) => ({
      typeId: item.typeId,
      ids: "id" in item ? [item.id] : kept[item.sequence === "A" ? 0 : 1]!,
    }));
    return {
      ids: items.flatMap(({ ids }) => ids),
      typeIds: items.flatMap(({ ids, typeId }) => ids.map(() => typeId)),
    };
  });
  const [ids, typeIds] = [rows.map((row) => row.ids), rows.map((row) => row.typeIds)];
  const lengths = ids.map(({ length }) => length);
  if (!filling) return { ids, attentionMask: ids.map((row) => row.map(() => 1)), typeIds, lengths };
  return {
    ...pad(ids, filling),
    typeIds: pad(typeIds, { ...filling, padId: filling.typeId ?? 0 }).ids,
    lengths,
  };
}

const isBatchText = (text: unknown) =>
  isText(text) || (Array.isArray(text) && text.length === 2 && text.every(isText));

const roomFor = (min: number) => ({
  min,
  unit: "tokens",
  fix: `give ${min} or more: the template adds ${min} special tokens; or \`addSpecialTokens: false\`.`,
});

/** The truncation of a call; undefined for none. */
function truncationOf(
  check: Checks,
  given: EncodeBatchOptions["truncation"],
  { truncation }: Stages,
): Truncation | undefined {
  if (given === undefined) return truncation;
  if (typeof given !== "boolean") return checkTruncation(check, given);
  if (given && !truncation) {
    check.refuse({
      argument: "truncation",
      received: true,
      expected: "the maximum length, which the tokenizer's file does not give",
      fix: "give it: `truncation: { maxLength: 512 }`.",
    });
  }
  return given ? truncation : undefined;
}

/** The padding of a call; undefined for none. */
function paddingOf(
  check: Checks,
  given: EncodeBatchOptions["padding"],
  { padding }: Stages,
  idOf: (token: string) => number | undefined,
): Padding | undefined {
  if (given === undefined) return padding;
  if (given === false) return undefined;
  const changes = given === true ? {} : checkPadding(check, given);
  const padId = changes.padId ?? padding?.padId ?? idOf("[PAD]") ?? idOf("<pad>");
  if (padId !== undefined) return { ...padding, ...changes, padId };
  return check.refuse({
    argument: "padding",
    received: given,
    expected: "an id to pad with, as the tokenizer has neither `[PAD]` nor `<pad>`",
    fix: "give one: `padding: { padId: tokenizer.eosId }`; `attentionMask` and `lengths` tell padding from tokens.",
  });
}
