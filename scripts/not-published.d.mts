/** True after the first release. */
export const published: boolean;
/** The READMEs of the repository and of each public package, with the line for each. */
export const readmes: { path: string; line: string }[];
/** The README with the line above its first command, or without the line. */
export function asPublished(text: string, line: string, published: boolean): string;
