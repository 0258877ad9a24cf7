// The entry point for pages without a build. Its code is minified, and errors print names of functions and classes, so each export
// gets its original name back.
import * as exported from "./index.js";

for (const [name, value] of Object.entries(exported)) {
  if (typeof value === "function") Object.defineProperty(value, "name", { value: name });
}

export * from "./index.js";
