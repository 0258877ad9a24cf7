import { createHash } from "node:crypto";

/** Checksum of a file on the hub: the SHA-256 of its content, or the SHA-1 of its Git blob. */
export type Checksum = { readonly algorithm: "sha256" | "git-sha1"; readonly digest: string };

/** A checksum that is computed chunk by chunk. `matches`: true if it equals the expected one. */
export type RunningChecksum = { update(bytes: Uint8Array): void; matches(): boolean };

/**
 * The checksum in response headers of the hub: `X-Linked-Etag` for large files, `ETag` for files in Git. Undefined for other
 * servers, whose ETags are not checksums.
 */
export function checksumFromHeaders(headers: Headers): Checksum | undefined {
  const linked = headers.get("x-linked-etag");
  const tag = linked ?? (headers.has("x-repo-commit") ? headers.get("etag") : null);
  const [, digest] = /^(?:W\/)?"?([0-9a-f]{64}|[0-9a-f]{40})"?$/.exec(tag ?? "") ?? [];
  return digest === undefined
    ? undefined
    : { algorithm: digest.length === 64 ? "sha256" : "git-sha1", digest };
}

/** Starts a checksum. A Git checksum includes the size of the file; undefined if the size is unknown. */
export function createChecksum(
  { algorithm, digest }: Checksum,
  size: number | undefined,
): RunningChecksum | undefined {
  const isGit = algorithm === "git-sha1";
  if (isGit && size === undefined) return undefined;
  const hash = createHash(isGit ? "sha1" : "sha256");
  if (isGit) hash.update(`blob ${size}\0`);
  return { update: (bytes) => void hash.update(bytes), matches: () => hash.digest("hex") === digest };
}
