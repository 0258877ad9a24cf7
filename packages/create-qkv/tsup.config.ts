import { cpSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { library } from "../../tsup.config.base.js";

const { version } = JSON.parse(readFileSync("../cli/package.json", "utf8")) as { version: string };
const local = new Set(["node_modules", "dist", ".next", "next-env.d.ts", "package-lock.json"]);

// The templates are folders of the repository; the package has a copy of them, and the version of `qkv` that they were built with.
export default library(["index", "create-qkv"], {
  shims: true,
  define: { __QKV_VERSION__: JSON.stringify(version) },
  async onSuccess() {
    cpSync("../../templates", "dist/templates", {
      recursive: true,
      filter: (source) => !local.has(basename(source)),
    });
    // npm packs no file of this name.
    for (const name of ["vite", "next", "node", "worker"])
      cpSync(join("../../templates", name, ".gitignore"), join("dist/templates", name, "gitignore"));
  },
});
