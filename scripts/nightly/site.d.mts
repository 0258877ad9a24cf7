export const about: string;
export const steps: readonly { name: string; command: readonly string[]; counts?: boolean }[];
