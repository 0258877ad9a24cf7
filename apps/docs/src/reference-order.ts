// The source: the site is served before packages are built, and Docusaurus reads this file in Node.
import { catalogue, type CatalogueEntry } from "../../../packages/attention/src/catalogue";

// Pages without an entry in the catalogue, each after the page of a related entry.
const after: Record<string, readonly string[]> = {
  attention: ["tiles", "merge-attention", "gradients", "attention-dropout", "head-patterns"],
  "short-convolution": ["hybrid-stacks"],
  "mask-mod": ["mask-tensor", "masks-from-elsewhere"],
};
const groups: readonly [label: string, kind: CatalogueEntry["kind"]][] = [
  ["Attention", "attention"],
  ["Masks", "mask"],
  ["Biases", "bias"],
  ["Positions", "position"],
  ["Heads", "head"],
  ["Mixers", "mixer"],
  ["Scores and weights", "score"],
  ["Sparse choice", "sparse"],
  ["Eviction", "eviction"],
];

/** The reference pages of attention by kind, in the order of the catalogue. */
export const attentionPages = groups.map(([label, kind]) => {
  const pages = catalogue
    .filter((entry) => entry.kind === kind)
    .flatMap(({ page }) => [page, ...(after[page] ?? [])]);
  return { label, pages: [...new Set(pages)] };
});
