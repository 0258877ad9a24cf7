import { mixerOps } from "../linear/mixers.js";
import { ownFormOps } from "../linear/own-forms.js";
import { softmaxOps } from "../linear/softmax.js";
import { vectors } from "./vectors.js";

/** `linear/*.json`: mixers with a state, and softmax attention's forms of today, with gradients. One family. */
export const linear = vectors("linear", [...mixerOps, ...ownFormOps, ...softmaxOps], () => "linear");
