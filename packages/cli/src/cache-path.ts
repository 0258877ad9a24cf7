import { createHash } from "node:crypto";
import { join } from "node:path";

/**
 * Path of the cached file of an address: `https/HOST/PATH`. Characters that no path can have, and its query, which may be
 * a login, becomes a digest in a folder before the path, so that two addresses never share a file, and the name and its
 * ending stay.
 */
export function cachePath(root: string, url: URL): string {
  const path = url.host + url.pathname;
  const plain = path.replace(/[^\w./-]/g, "_");
  const [host, ...rest] = plain.split("/");
  const isPlain = plain === path && url.search === "" && !path.includes("//");
  const digest = createHash("sha256").update(url.href).digest("hex").slice(0, 16);
  return join(root, url.protocol.replace(":", ""), host!, ...(isPlain ? [] : [`~${digest}`]), ...rest);
}
