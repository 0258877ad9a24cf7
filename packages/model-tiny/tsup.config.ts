import { defineConfig } from "tsup";
import { library } from "../../tsup.config.base.js";

const weights = ["weights", "bytes-weights", "brackets-weights", "palindromes-weights", "sorting-weights"];

// The weights of a model are one module of their own, which both builds import when they are asked for it.
export default [
  library(["index", "bytes", "algorithms"], { external: weights.map((name) => `./${name}.js`) }),
  defineConfig({
    entry: weights.map((name) => `src/${name}.ts`),
    format: ["esm"],
    target: "es2022",
    clean: false,
  }),
];
