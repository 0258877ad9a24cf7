/** The packages that a README tells its reader to install, by its first line `npm install …`; none without one. */
export function toldToInstall(markdown: string): string[] {
  return namesOf(installLine.exec(markdown)?.[1]);
}

/** The packages of all lines `npm install …` of a page. */
export function installedPackages(markdown: string): string[] {
  return [...markdown.matchAll(new RegExp(installLine, "gm"))].flatMap(([, names]) => namesOf(names));
}

/** The packages that code imports, without the entry: `@qkv/viz` of `@qkv/viz/react`. */
export function importedPackages(code: string): string[] {
  const from = /(?:from|import) ?\(?"((?:@[^/"]+\/)?[^/".:][^/":]*)(?:\/[^"]*)?"/g;
  return [...new Set([...code.matchAll(from)].map(([, name]) => name!))];
}

const installLine = /^npm install (?:--global )?(.+)$/m;
const namesOf = (names = "") => names.trim().split(/\s+/).filter(Boolean);
