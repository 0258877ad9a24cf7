import type { Kind } from "../case.js";
import { frontEnds } from "../audio/front-ends.js";
import { vectors } from "./vectors.js";

/** `audio/*.json`: windows, mel filters, spectra with their gradients, and input features of audio models. */
export const audio: Kind = vectors("audio", frontEnds, () => "audio");
