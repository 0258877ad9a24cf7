/** The packages in the first `npm install …` command of a README; none if it has no such command. */
export function firstInstallPackages(markdown: string): string[] {
  return namesOf(installLine.exec(markdown)?.[1]);
}

/** The packages in all `npm install …` commands of a page. */
export function installedPackages(markdown: string): string[] {
  return [...markdown.matchAll(new RegExp(installLine, "gm"))].flatMap(([, names]) => namesOf(names));
}

/** The packages that code imports, without subpaths: `@qkv/viz` for `@qkv/viz/react`. */
export function importedPackages(code: string): string[] {
  const from = /(?:from|import) ?\(?"((?:@[^/"]+\/)?[^/".:][^/":]*)(?:\/[^"]*)?"/g;
  return [...new Set([...code.matchAll(from)].map(([, name]) => name!))];
}

const installLine = /^npm install (?:--global )?(.+)$/m;
const namesOf = (names = "") => names.trim().split(/\s+/).filter(Boolean);
