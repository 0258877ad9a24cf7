import { createHash, randomUUID } from "node:crypto";
import { readdir, rename, rm, stat } from "node:fs/promises";
import { uptime } from "node:os";
import { basename, dirname, join } from "node:path";

/** The content that a part is a part of: its bytes in all, and the strong ETag of the server. */
export type Content = { readonly total: number; readonly tag: string };

/** A part that a killed command left, which is this process's own now. */
export type PartialDownload = {
  readonly path: string;
  /** Bytes that are there. */
  readonly size: number;
  readonly total: number;
  isPartOf(content: Content | undefined): boolean;
};

/**
 * The name of a part of `path`: it tells which process writes it, and which content it is a part of, where the server
 * says so. Such a part can be taken up when the process was killed.
 */
export function partName(path: string, content: Content | undefined): string {
  const of = content ? `.${content.total}-${digestOf(content)}` : "";
  return `${path}.${process.pid}-${randomUUID()}${of}.part`;
}

const partPattern = /^(.*)\.(\d+)-[0-9a-f-]{36}(?:\.(\d{1,15})-([0-9a-f]{16}))?\.part$/;

/** A part that was not written to for so long is nobody's, whatever its process. */
const deadMs = 3_600_000;
/** A part of another file may be taken up when that file is fetched, within a week. */
const keptMs = 7 * 24 * 3_600_000;

/**
 * Looks through what killed commands had begun to fetch into the folder of `path`: takes over a part of that file, leaves
 * those of other files for when they are fetched, and removes what nobody can take up.
 */
export async function claimPartialDownload(path: string): Promise<PartialDownload | undefined> {
  const folder = dirname(path);
  const startedAt = Date.now() - uptime() * 1000;
  let taken: PartialDownload | undefined;
  for (const name of await readdir(folder).catch(() => [])) {
    const [, of, owner, total, digest] = partPattern.exec(name) ?? [];
    if (owner === undefined) continue;
    const part = join(folder, name);
    const { size, mtimeMs } = await stat(part).catch(() => ({ size: 0, mtimeMs: 0 }));
    const age = Date.now() - mtimeMs;
    if (isRunning(Number(owner)) && age <= deadMs) continue;
    // After a crash the last bytes may not be on the disk, though the file is as long.
    const isUseful = digest !== undefined && size > 0 && size < Number(total) && mtimeMs > startedAt;
    if (isUseful && of !== basename(path) && age <= keptMs) continue;
    if (!isUseful || of !== basename(path) || taken) {
      await rm(part, { force: true });
      continue;
    }
    // Of two commands that find it, one gets it.
    const own = `${path}.${process.pid}-${randomUUID()}.${total}-${digest}.part`;
    if (!(await renamed(part, own))) continue;
    taken = {
      path: own,
      size,
      total: Number(total),
      isPartOf: (content) => content?.total === Number(total) && digestOf(content) === digest,
    };
  }
  return taken;
}

const digestOf = ({ tag }: Content): string => createHash("sha256").update(tag).digest("hex").slice(0, 16);

async function renamed(from: string, to: string): Promise<boolean> {
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
