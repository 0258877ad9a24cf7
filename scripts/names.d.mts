/** The rows of the table; an empty text where a library has no name. */
export function names(): { entry: string; name: string; torch: string; numpy: string; tfjs: string }[];
/** Functions for which the others have no name of their own. */
export const ours: Readonly<Record<string, readonly string[]>>;
/** The page: one table for each entry. */
export function namesPage(): string;
