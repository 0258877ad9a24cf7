export declare const tier: "1" | undefined;
export declare const leftOut: string[];
export declare function casesByTier<Case>(
  all: readonly Case[],
  isQuick: (one: Case) => boolean,
): readonly Case[];
export function runs(stated: number): number;
