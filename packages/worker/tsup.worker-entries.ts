/** The entries of the package, for its ES modules and for CommonJS. */
export const worker = { entries: ["index", "serve", "training"] };
