import { copyFileSync } from "node:fs";
import { library } from "../../tsup.config.base.js";

export default library(["index", "limits", "urls"], {
  // The same kernels and worker as files, for those who serve them.
  onSuccess: async () => {
    for (const file of ["plain.wasm", "relaxed.wasm", "worker.js"])
      copyFileSync(`.cache/${file}`, `dist/${file}`);
  },
});
