// Folders of the site's generated files.
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const site = fileURLToPath(new URL("../..", import.meta.url));
/** Served as files. */
export const live = join(site, "static/live");
/** Imported by pages. */
export const cache = join(site, ".cache");
