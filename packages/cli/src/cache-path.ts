import { createHash } from "node:crypto";
import { join } from "node:path";

/**
 * Path of the cached file of a URL: `https/HOST/PATH`. A URL with a query, or with characters that paths cannot have, gets a
 * folder named by its digest before the path, so that two URLs never share a file, and the file keeps its name and extension.
 */
export function cachePath(root: string, url: URL): string {
  const path = url.host + url.pathname;
  const plain = path.replace(/[^\w./-]/g, "_");
  const [host, ...rest] = plain.split("/");
  const isPlain = plain === path && url.search === "" && !path.includes("//");
  const digest = createHash("sha256").update(url.href).digest("hex").slice(0, 16);
  return join(root, url.protocol.replace(":", ""), host!, ...(isPlain ? [] : [`~${digest}`]), ...rest);
}
