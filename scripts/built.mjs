// Run before packing, in a package's folder: checks that all files named in package.json exist. Without a build, npm
// would pack an empty package.
import { existsSync, readFileSync } from "node:fs";

const json = JSON.parse(readFileSync("package.json", "utf8"));

/** @param {unknown} value */
const pathsIn = (value) =>
  typeof value === "string"
    ? [value]
    : typeof value === "object" && value !== null
      ? Object.values(value).flatMap(pathsIn)
      : [];

const missing = ["main", "module", "types", "exports", "bin"]
  .flatMap((field) => pathsIn(json[field]))
  .filter((path) => !path.includes("*") && !existsSync(path));
if (missing.length > 0) {
  console.error(
    `${json.name} cannot be packed: it has no ${missing[0]}${missing.length > 1 ? `, and lacks ${missing.length - 1} files more` : ""}.\n` +
      "Fix: `npm run build` in the workspace makes them.",
  );
  process.exit(1);
}
