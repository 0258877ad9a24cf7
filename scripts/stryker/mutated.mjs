// The files that Stryker mutates: small files that their own package tests.
const files = {
  core: ["shape", "groups", "rows", "half", "byte-writer", "little-endian", "contraction-order"],
  "attention-contract": ["key-values/positions", "key-values/stored-positions", "expressions/operations"],
  cost: ["pairs-seen", "kv-cache", "part", "least-squares"],
};

export const packages = Object.keys(files);
export const mutated = packages.flatMap((name) =>
  files[name].map((file) => `packages/${name}/src/${file}.ts`),
);
