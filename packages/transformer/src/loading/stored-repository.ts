import { FormatError } from "@qkv/core";
import type { ContentChecksum } from "../storage/content-checksum.js";
import type { Folder } from "./folder.js";
import { findFile, readWhole, smallFiles, type OpenFile, type Reading } from "./open-file.js";

/** The options of a hub that a store uses. */
type StoredHub = { revision?: string; url?: string; offline?: boolean; accessToken?: string };

/** A repository at one commit: its files, with the checksums that the hub states. */
type Listing = { commit: string; files: ReadonlyMap<string, ContentChecksum | undefined> };

/**
 * The files of a repository, kept in a store. The hub's list of files is asked for once and kept, too: it names the
 * commit, which files there are, and the SHA-256 of large ones.
 */
export async function storedRepository(repo: string, hub: StoredHub, reading: Reading): Promise<Folder> {
  const { revision = "main", url: origin = "https://huggingface.co", offline, accessToken } = hub;
  if (accessToken !== undefined) {
    reading.check.refuse({
      argument: "hub.accessToken",
      received: "a token",
      expected: "none beside `store`, which keeps public repositories",
      fix: "leave `store` out, or download the files and give their address.",
    });
  }
  const stored = { model: repo, ...(offline !== undefined && { offline }) };
  const address = `${origin}/api/models/${repo}/revision/${encodeURIComponent(revision)}?blobs=true`;
  // Progress is that of the model.
  const { onProgress: _, ...quiet } = reading;
  const list = await findFile(address, { ...quiet, stored, ...smallFiles.index });
  if (!list) {
    return reading.check.refuse({
      received: repo,
      expected: `a repository of ${origin} with a revision ${revision}, and it answered 404 Not Found`,
      fix: "check the name of the repository; `store` keeps public ones.",
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
    if ([sha, ...digests].every((one) => /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(one)))
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

/** The SHA-256 of a large file; git's name of the content of another. */
function contentChecksum({ blobId, lfs }: Sibling): ContentChecksum | undefined {
  if (lfs) return { algorithm: "sha256", digest: lfs.sha256 };
  return blobId === undefined ? undefined : { algorithm: "git-sha1", digest: blobId };
}
