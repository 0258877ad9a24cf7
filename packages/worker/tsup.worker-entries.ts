/** The entries of the package, for its ES modules and for CommonJS. */
export const worker = {
  entries: ["index", "serve"],
  dts: {
    compilerOptions: { composite: false, paths: {} },
    // Of `Symbol.asyncDispose`, for programs whose `lib` is older.
    banner: '/// <reference lib="esnext.disposable" />',
  },
};
