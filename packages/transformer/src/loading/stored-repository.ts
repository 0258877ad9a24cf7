import { FormatError } from "@qkv/core";
import type { ContentChecksum } from "../storage/content-checksum.js";
import type { Folder } from "./folder.js";
import { findFile, readWhole, smallFiles, type OpenFile, type Reading } from "./open-file.js";

/** The hub options that are used with a store. */
type StoredHub = { revision?: string; url?: string; offline?: boolean; accessToken?: string };

/** A repository at one commit: its files, with their checksums on the hub. */
type Listing = { commit: string; files: ReadonlyMap<string, ContentChecksum | undefined> };

/**
 * The files of a repository through a store. The hub's list of files is requested once and stored too: it has the
 * commit, the file names, and the SHA-256 of large files.
 */
export async function storedRepository(repo: string, hub: StoredHub, reading: Reading): Promise<Folder> {
  const { revision = "main", url: origin = "https://huggingface.co", offline, accessToken } = hub;
  if (accessToken !== undefined) {
    reading.check.refuse({
      argument: "hub.accessToken",
      received: "a token",
      expected: "none with `store`, which stores public repositories",
      fix: "leave `store` out, or download the files and give their address.",
    });
  }
  const stored = { model: repo, ...(offline !== undefined && { offline }) };
  const address = `${origin}/api/models/${repo}/revision/${encodeURIComponent(revision)}?blobs=true`;
  // Progress is reported for the model only.
  const { onProgress: _, ...withoutProgress } = reading;
  const list = await findFile(address, { ...withoutProgress, stored, ...smallFiles.index });
  if (!list) {
    return reading.check.refuse({
      received: repo,
      expected: `a repository of ${origin} with a revision ${revision}, and it answered 404 Not Found`,
      fix: "check the name of the repository; `store` stores public ones.",
    });
  }
  const { commit, files } = parseListing(list, new TextDecoder().decode(await readWhole(list)), reading);
  return {
    name: repo,
    reading,
    async find(path, limits) {
      if (!files.has(path)) return undefined;
      const checksum = files.get(path);
      const url = `${origin}/${repo}/resolve/${commit}/${path}`;
      return findFile(url, { ...reading, ...limits, stored: { ...stored, ...(checksum && { checksum }) } });
    },
  };
}

type Sibling = { rfilename: string; blobId?: string; lfs?: { sha256: string } | null };

function parseListing({ name }: OpenFile, text: string, { check }: Reading): Listing {
  try {
    const { sha, siblings } = JSON.parse(text) as { sha: string; siblings: Sibling[] };
    const files = new Map(siblings.map((sibling) => [sibling.rfilename, contentChecksum(sibling)] as const));
    const digests = [...files.values()].flatMap((checksum) => checksum?.digest ?? []);
    if ([sha, ...digests].every((hash) => /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(hash)))
      return { commit: sha, files };
  } catch {
    // Refused below.
  }
  return check.refuse(
    {
      argument: name,
      received: text.slice(0, 40),
      expected:
        "the hub's list of a repository's files: `sha`, and `siblings` with `rfilename`, `blobId` and `lfs`",
      fix: "check `hub.url`: its server has to answer as the Hugging Face Hub does.",
    },
    FormatError,
  );
}

/** Checksum of a file: SHA-256 of LFS files, git blob id of others. */
function contentChecksum({ blobId, lfs }: Sibling): ContentChecksum | undefined {
  if (lfs) return { algorithm: "sha256", digest: lfs.sha256 };
  return blobId === undefined ? undefined : { algorithm: "git-sha1", digest: blobId };
}
