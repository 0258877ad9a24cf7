import { sha1 } from "@noble/hashes/legacy.js";
import { sha256 } from "@noble/hashes/sha2.js";

/** Checksum of a file, as a hub states it: the SHA-256 of its content, or the SHA-1 that git names it by. */
export type ContentChecksum = { readonly algorithm: "sha256" | "git-sha1"; readonly digest: string };

/** A checksum that grows with the bytes of a file: browsers compute SHA-256 of bytes that are all in memory only. */
export type GrowingChecksum = { update(bytes: Uint8Array): void; matches(): boolean };

/** Begins a checksum of a file of `size` bytes, which that of git counts. */
export function growingChecksum({ algorithm, digest }: ContentChecksum, size: number): GrowingChecksum {
  const hash = algorithm === "sha256" ? sha256.create() : sha1.create();
  if (algorithm === "git-sha1") hash.update(new TextEncoder().encode(`blob ${size}\0`));
  return { update: (bytes) => void hash.update(bytes), matches: () => hexadecimal(hash.digest()) === digest };
}

/** Bytes as text, two digits each. */
export const hexadecimal = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
