import { checks } from "@qkv/core";
import { sendRequest } from "@qkv/core/byte-source";
import { requestHeaders, type FetchOptions } from "./fetch-file.js";

/** Metadata of a file in a repository, from response headers of the hub. */
export type HubFile = {
  /** The commit of the revision. */
  readonly commit: string;
  /** Digest of the content: SHA-256 for large files, Git's SHA-1 for others. */
  readonly tag: string;
};

/** Maximum number of redirects within the hub, which occur for renamed repositories. */
const maxRedirects = 5;

/**
 * Sends a HEAD request for a file.
 *
 * @returns `missing` if the repository has no such file; `unstated` if the server does not state commit and digest as the hub
 *   does, or refuses the request.
 */
export async function hubFile(url: URL, options: FetchOptions): Promise<HubFile | "missing" | "unstated"> {
  const check = checks("qkv", { argument: "model" });
  let at = url;
  for (let redirects = 0; redirects <= maxRedirects; redirects++) {
    const request = { method: "HEAD", redirect: "manual", headers: requestHeaders(at) } as const;
    const response = await sendRequest(at, request, { check, ...options });
    await response.cancel();
    const { headers, status } = response;
    const commit = headers.get("x-repo-commit") ?? "";
    const tag = (headers.get("x-linked-etag") ?? headers.get("etag") ?? "").replace(/^(?:W\/)?"(.*)"$/, "$1");
    const isStated = /^[0-9a-f]{40}$/.test(commit) && /^[\w-]{8,128}$/.test(tag);
    if (status === 404) return "missing";
    if (isStated && status < 400) return { commit, tag };
    const location = status >= 300 && status < 400 && headers.get("location");
    const next = location ? new URL(location, at) : undefined;
    if (next?.origin !== at.origin) return "unstated";
    at = next;
  }
  return "unstated";
}
