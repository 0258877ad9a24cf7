export { modelTinyBytes } from "./model-tiny-bytes.js";
