import { expect, test } from "vitest";
import { byteBpe } from "./models/byte-bpe.js";
import { characterBpe } from "./models/character-bpe.js";
import { unigram } from "./models/unigram.js";
import { bertNormalizers } from "./normalizers/bert-normalizer.js";
import { stripEnds } from "./normalizers/strip-ends.js";
import { metaspace } from "./pre-tokenizers/metaspace.js";
import { patternSplit, textSplit } from "./pre-tokenizers/pattern-split.js";
import { digitsSplit } from "./pre-tokenizers/simple-splits.js";

test.each<[string, (value: never) => unknown]>([
  ["byteBpe: `ignoreMerges`", (ignoreMerges) => byteBpe({ vocab: [], merges: [], ignoreMerges })],
  ["characterBpe: `byteFallback`", (byteFallback) => characterBpe({ vocab: [], merges: [], byteFallback })],
  ["characterBpe: `fuseUnknown`", (fuseUnknown) => characterBpe({ vocab: [], merges: [], fuseUnknown })],
  ["unigram: `byteFallback`", (byteFallback) => unigram({ pieces: [["a", 0]], byteFallback })],
  ["bertNormalizers: `lowercase`", (lowercase) => bertNormalizers({ lowercase })],
  ["stripEnds: `left`", (left) => stripEnds({ left })],
  ["metaspace: `split`", (split) => metaspace({ split })],
  ["patternSplit: `invert`", (invert) => patternSplit("a", { invert })],
  ["textSplit: `invert`", (invert) => textSplit("a", { invert })],
  ["digitsSplit: `individual`", (individual) => digitsSplit({ individual })],
])("%s that is no boolean is refused", (option, call) => {
  for (const value of ["false", 1, null]) expect(() => call(value as never)).toThrow(option);
});
