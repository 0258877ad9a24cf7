// Size budgets stand in each package's package.json, under "size-limit": minified, with dependencies, brotli.
import { join } from "node:path";
import { publicPackages } from "./scripts/packages.mjs";

export default publicPackages().flatMap(({ name, folder, json }) =>
  (json["size-limit"] ?? []).map((check) => ({
    ...check,
    name: check.name ?? name,
    path: join(folder, check.path),
  })),
);
