import { checks, type Checks } from "@qkv/core";
import { tensor } from "@qkv/tensor";
import type { EncoderModel } from "../models/model.js";
import { logSoftmax } from "../generation/log-softmax.js";
import { bestIndices } from "./best-indices.js";
import { encodeTexts, requiredTokenizer, textList, truncatingTokenizer } from "./texts-to-rows.js";

/** Call options of a {@link FillMaskPipeline}, with the names of Transformers.js. */
export type FillMaskOptions = {
  /** Number of tokens to return, the most likely first. Default 5. */
  top_k?: number;
};

/** A candidate for the masked token. */
export type FilledMask = {
  /** Its probability. */
  score: number;
  /** Its id. */
  token: number;
  /** Its text. */
  token_str: string;
  /** The text with this token, without special tokens. */
  sequence: string;
};

/** Call signatures of a fill-mask pipeline: a list of tokens per text. */
export type FillMaskCall = {
  (text: string, options?: FillMaskOptions): Promise<FilledMask[]>;
  (texts: readonly string[], options?: FillMaskOptions): Promise<FilledMask[][]>;
};

/** Creates the function of a fill-mask pipeline. If a text has several masks, the first is filled. */
export function fillMask(check: Checks<{ argument: string }>, model: EncoderModel): FillMaskCall {
  const { params, config, maskedTokenLogits } = model;
  if (!params.maskedTokenHead) {
    check.refuse({
      received: "an encoder without a head for masked tokens",
      expected: "one with that head",
      fix: "take a checkpoint that was saved with it (BertForMaskedLM).",
    });
  }
  const tokenizer = truncatingTokenizer(requiredTokenizer(check, model.tokenizer), config.contextLength);
  const mask = ["[MASK]", "<mask>"].find((token) => tokenizer.id(token) !== undefined);
  if (mask === undefined) {
    check.refuse({
      argument: "tokenizer",
      received: "a tokenizer without a mask token",
      expected: "one that has [MASK] or <mask>",
      fix: "use the tokenizer file that came with the checkpoint.",
    });
  }
  const maskId = tokenizer.id(mask)!;
  const callCheck: Checks = checks('pipeline("fill-mask")');
  const call = async (texts: string | readonly string[], given?: FillMaskOptions) => {
    const { top_k = 5 } = callCheck.options(given, ["top_k"]);
    callCheck.whole({ top_k }, { min: 1, unit: "tokens" });
    const inputTexts = textList(callCheck, texts);
    const { ids, rows } = encodeTexts(model, tokenizer, inputTexts);
    const maskIndices = ids.map((sequence, i) => {
      const index = sequence.indexOf(maskId);
      if (index >= 0) return index;
      return callCheck.refuse({
        argument: "texts",
        received: inputTexts[i],
        expected: `a text with the mask token ${mask}`,
        fix: `write ${mask} where a token is to be found.`,
      });
    });
    const [B, T, C] = rows.shape as [number, number, number];
    const data = await rows.read();
    const maskedRows = new Float32Array(B * C);
    maskIndices.forEach((index, b) =>
      maskedRows.set(data.subarray((b * T + index) * C, (b * T + index + 1) * C), b * C),
    );
    const { device } = rows;
    const logits = maskedTokenLogits(params, tensor(maskedRows, { shape: [B, 1, C], device }));
    const logitData = await logits.read();
    const V = logits.shape[2]!;
    const results = ids.map((sequence, b) => {
      const scores = logSoftmax(logitData.subarray(b * V, (b + 1) * V));
      return bestIndices(scores, top_k).map((token): FilledMask => ({
        score: Math.exp(scores[token]!),
        token,
        token_str: tokenizer.decode([token]),
        sequence: tokenizer.decode(sequence.with(maskIndices[b]!, token)),
      }));
    });
    return typeof texts === "string" ? results[0] : results;
  };
  return call as FillMaskCall;
}
