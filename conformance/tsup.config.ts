import { defineConfig } from "tsup";

// A command, not a library: one ESM file that imports the built packages.
export default defineConfig({ entry: ["src/main.ts"], format: ["esm"], target: "es2022", clean: true });
