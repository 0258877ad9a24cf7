// The door for pages without a build, whose code is minified. Errors name the functions and classes that they were given: each has
// the name that it is imported by.
import * as door from "./index.js";

for (const [name, value] of Object.entries(door)) {
  if (typeof value === "function") Object.defineProperty(value, "name", { value: name });
}

export * from "./index.js";
