import { additive, type AdditiveParams } from "@qkv/attention";
import { recurrentTranslator, type RecurrentTranslator, type TranslatorAttention } from "@qkv/transformer";

const characters = " ,-.0123456789ADFJMNOSabceghilmnoprstuvy"; // those of the dates in all formats
const V = characters.length;

/** Token ids: the characters of dates, then the start, end and padding tokens. */
export const dateLetters = {
  vocabSize: V + 3,
  startId: V,
  endId: V + 1,
  padId: V + 2,
  encode: (text: string): number[] => Array.from(text, (letter) => characters.indexOf(letter)),
  /** Up to the end token. */
  decode(ids: readonly number[]): string {
    const end = ids.indexOf(V + 1);
    return (end < 0 ? ids : ids.slice(0, end)).map((id) => characters[id] ?? "?").join("");
  },
};

/** Width of the decoder's state, of annotations, and of the network that scores them. */
export const hiddenDim = 32;

/**
 * The recurrent translator of the lesson. As in Bahdanau et al. (2014), the state of the decoder attends before it is updated.
 *
 * @param attention - Additive attention. Default: that of `@qkv/attention`. Another function can record the calls.
 */
export function dateTranslator(
  attention: TranslatorAttention<AdditiveParams> = additive({
    queryDim: hiddenDim,
    keyDim: hiddenDim,
    hiddenDim,
  }),
): RecurrentTranslator<AdditiveParams> {
  return recurrentTranslator({
    vocabSize: dateLetters.vocabSize,
    embedDim: 16,
    hiddenDim,
    attention,
    queryState: "previous",
  });
}
