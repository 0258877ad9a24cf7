// A module of its own, which `load` imports on demand: `import("@qkv/tokenizer")` would keep all names of the package in a bundle.
export { loadTokenizer } from "@qkv/tokenizer";
