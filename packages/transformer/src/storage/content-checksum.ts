import { sha1 } from "@noble/hashes/legacy.js";
import { sha256 } from "@noble/hashes/sha2.js";

/** Checksum of a file on a hub: the SHA-256 of its content, or its git blob id (SHA-1). */
export type ContentChecksum = { readonly algorithm: "sha256" | "git-sha1"; readonly digest: string };

/** An incremental checksum. `crypto.subtle` of browsers can only hash data that is completely in memory. */
export type GrowingChecksum = { update(bytes: Uint8Array): void; matches(): boolean };

/** Starts a checksum of a file with `size` bytes, which is part of git's checksum. */
export function growingChecksum({ algorithm, digest }: ContentChecksum, size: number): GrowingChecksum {
  const hash = algorithm === "sha256" ? sha256.create() : sha1.create();
  if (algorithm === "git-sha1") hash.update(new TextEncoder().encode(`blob ${size}\0`));
  return { update: (bytes) => void hash.update(bytes), matches: () => hexadecimal(hash.digest()) === digest };
}

/** Formats bytes as a hexadecimal string. */
export const hexadecimal = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
