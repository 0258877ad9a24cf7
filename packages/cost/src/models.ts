export { knownModels, type KnownModel } from "./known-models.js";
