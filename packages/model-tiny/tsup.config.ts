import { defineConfig } from "tsup";
import { library } from "../../tsup.config.base.js";

const weights = ["./weights.js", "./bytes-weights.js"];

// The weights of a model are one module of their own, which both builds import when they are asked for it.
export default [
  library(["index", "bytes"], { external: weights }),
  defineConfig({
    entry: ["src/weights.ts", "src/bytes-weights.ts"],
    format: ["esm"],
    target: "es2022",
    clean: false,
  }),
];
