// The project `node` of vitest.config.ts, with the unit tests of the packages that are mutated.
import config from "../../vitest.config.ts";
import { packages } from "./mutated.mjs";

const { resolve, define } = config;
const { test } = config.test.projects.find((project) => project.test.name === "node");
export default {
  resolve,
  define,
  test: { ...test, include: packages.map((name) => `packages/${name}/src/**/*.test.ts`) },
};
