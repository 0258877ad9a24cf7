/** The pages written by hand, where the site's configuration places them. */
export function pages(): { path: string; title: string; text: string; file: string }[];
