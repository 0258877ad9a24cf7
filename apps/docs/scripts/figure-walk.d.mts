export const visits: readonly { still?: boolean; checks: readonly { name: string }[] }[];
export const viewports: readonly { width: number; height: number }[];
export const themes: readonly string[];
export const browsers: readonly string[];
