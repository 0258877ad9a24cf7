import type { Decode } from "./decode.js";
import { byteLevelStep, decodeSteps } from "./decode-steps.js";

/** Decodes byte-level vocabularies: the letters of tokens are bytes, and these, joined, are UTF-8. */
export const byteLevelDecode: Decode = /* @__PURE__ */ decodeSteps([byteLevelStep]);
