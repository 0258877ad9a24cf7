export declare const tier: "1" | undefined;
export declare const leftOut: string[];
