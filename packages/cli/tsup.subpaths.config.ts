import { copyFileSync, globSync } from "node:fs";
import { library } from "../../tsup.config.base.js";

const subpaths = globSync("subpaths/**/*.ts", { cwd: "src" }).map((file) => file.slice(0, -".ts".length));

// One line each, the re-export of another package's entry, which is its declaration too. Made with the index, or for all subpaths at
// once, the declarations of the first one would import every package, React's types among them, for each user's compiler to read.
export default library(subpaths, {
  outDir: "dist/subpaths",
  clean: false,
  dts: false,
  onSuccess: async () => {
    for (const path of subpaths)
      for (const extension of [".d.ts", ".d.cts"]) copyFileSync(`src/${path}.ts`, `dist/${path}${extension}`);
  },
});
