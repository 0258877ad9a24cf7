/** The packages that a README tells its reader to install, by its first line `npm install …`; none without one. */
export function toldToInstall(markdown: string): string[] {
  const names = /^npm install (?:--global )?(.+)$/m.exec(markdown)?.[1];
  return names?.trim().split(/\s+/) ?? [];
}
