import { defineConfig } from "tsup";
import { library } from "../../tsup.config.base.js";

const weights = "./weights.js";

// The weights are one module of their own, which both builds import when they are asked for it.
export default [
  library(["index"], { external: [weights] }),
  defineConfig({ entry: ["src/weights.ts"], format: ["esm"], target: "es2022", clean: false }),
];
