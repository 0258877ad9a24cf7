/** A decoder over bytes as the entropy model of `@qkv/tokenizer/patching`. */
export { byteModel, type ByteModel } from "./patching/byte-model.js";
