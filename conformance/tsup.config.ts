import { defineConfig } from "tsup";

// A command, not a library: ESM that imports the built packages, and a bundle for a page of Chromium.
export default defineConfig({
  entry: { main: "src/main.ts", page: "src/page/main.ts", node: "src/page/node.ts" },
  format: ["esm"],
  target: "es2022",
  clean: true,
});
