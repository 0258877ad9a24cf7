import { mixerOps } from "../linear/mixers.js";
import { ownFormOps } from "../linear/own-forms.js";
import { softmaxOps } from "../linear/softmax.js";
import { vectors } from "./vectors.js";

/** `linear/*.json`: recurrent mixers, and recent variants of softmax attention, with gradients. One family. */
export const linear = vectors("linear", [...mixerOps, ...ownFormOps, ...softmaxOps], () => "linear");
