import { createHash, randomUUID } from "node:crypto";
import { readdir, rename, rm, stat } from "node:fs/promises";
import { uptime } from "node:os";
import { basename, dirname, join } from "node:path";

/** Identity of a file's content: its size in bytes, and its strong ETag. */
export type Content = { readonly total: number; readonly tag: string };

/** A partial download of a killed command, claimed by this process. */
export type PartialDownload = {
  readonly path: string;
  /** Bytes that are downloaded. */
  readonly size: number;
  readonly total: number;
  hasContent(content: Content | undefined): boolean;
};

/**
 * Name of a partial download of `path`. It includes the id of the process, and the identity of the content if it is known, so
 * that another process can resume it.
 */
export function partName(path: string, content: Content | undefined): string {
  const identity = content ? `.${content.total}-${tagDigest(content)}` : "";
  return `${path}.${process.pid}-${randomUUID()}${identity}.part`;
}

const partPattern = /^(.*)\.(\d+)-[0-9a-f-]{36}(?:\.(\d{1,15})-([0-9a-f]{16}))?\.part$/;

/** A partial download is abandoned after this time without a write, even if its process id is in use. */
const abandonedMs = 3_600_000;
/** Partial downloads of other files are kept for this time, so that they can be resumed: a week. */
const resumableMs = 7 * 24 * 3_600_000;

/**
 * Claims the partial download of `path` that a killed command left, if there is one. Removes those in the same folder that
 * cannot be resumed.
 */
export async function claimPartialDownload(path: string): Promise<PartialDownload | undefined> {
  const folder = dirname(path);
  const bootedAt = Date.now() - uptime() * 1000;
  let claimed: PartialDownload | undefined;
  for (const name of await readdir(folder).catch(() => [])) {
    const [, fileName, processId, total, digest] = partPattern.exec(name) ?? [];
    if (processId === undefined) continue;
    const part = join(folder, name);
    const { size, mtimeMs } = await stat(part).catch(() => ({ size: 0, mtimeMs: 0 }));
    const age = Date.now() - mtimeMs;
    if (isRunning(Number(processId)) && age <= abandonedMs) continue;
    // After a system crash the last bytes may be missing on the disk: files from before the last boot are not resumed.
    const isUseful = digest !== undefined && size > 0 && size < Number(total) && mtimeMs > bootedAt;
    if (isUseful && fileName !== basename(path) && age <= resumableMs) continue;
    if (!isUseful || fileName !== basename(path) || claimed) {
      await rm(part, { force: true });
      continue;
    }
    // The rename succeeds in only one of two concurrent commands.
    const claimedPath = `${path}.${process.pid}-${randomUUID()}.${total}-${digest}.part`;
    if (!(await tryRename(part, claimedPath))) continue;
    claimed = {
      path: claimedPath,
      size,
      total: Number(total),
      hasContent: (content) => content?.total === Number(total) && tagDigest(content) === digest,
    };
  }
  return claimed;
}

const tagDigest = ({ tag }: Content): string => createHash("sha256").update(tag).digest("hex").slice(0, 16);

async function tryRename(from: string, to: string): Promise<boolean> {
  return rename(from, to).then(
    () => true,
    () => false,
  );
}

/** True if a process of this id is running. */
function isRunning(id: number): boolean {
  try {
    return process.kill(id, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
