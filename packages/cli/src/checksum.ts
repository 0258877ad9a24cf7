import { createHash } from "node:crypto";

/** Checksum of a file, as the hub states it: the SHA-256 of its content, or the SHA-1 that git names it by. */
export type Checksum = { readonly algorithm: "sha256" | "git-sha1"; readonly digest: string };

/** A checksum that grows with the bytes of a file. */
export type RunningChecksum = { update(bytes: Uint8Array): void; matches(): boolean };

/**
 * The checksum that the hub states in the head of an answer: of large files in `X-Linked-Etag`, of those that git holds
 * in `ETag`. Undefined for other servers, whose tags may be anything.
 */
export function statedChecksum(headers: Headers): Checksum | undefined {
  const linked = headers.get("x-linked-etag");
  const tag = linked ?? (headers.has("x-repo-commit") ? headers.get("etag") : null);
  const [, digest] = /^(?:W\/)?"?([0-9a-f]{64}|[0-9a-f]{40})"?$/.exec(tag ?? "") ?? [];
  return digest === undefined
    ? undefined
    : { algorithm: digest.length === 64 ? "sha256" : "git-sha1", digest };
}

/** Begins a checksum. That of git counts the size of the file, too; undefined where the size is not known. */
export function runningChecksum(
  { algorithm, digest }: Checksum,
  size: number | undefined,
): RunningChecksum | undefined {
  const isGit = algorithm === "git-sha1";
  if (isGit && size === undefined) return undefined;
  const hash = createHash(isGit ? "sha1" : "sha256");
  if (isGit) hash.update(`blob ${size}\0`);
  return { update: (bytes) => void hash.update(bytes), matches: () => hash.digest("hex") === digest };
}
