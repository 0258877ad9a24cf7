export { modelTiny } from "./model-tiny.js";
