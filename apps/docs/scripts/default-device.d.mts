export function withChosenDevice(text: string): { text: string; count: number };
