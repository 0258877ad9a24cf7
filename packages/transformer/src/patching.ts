/** A decoder over bytes as what byte-latent patchers of `@qkv/tokenizer/patching` read. */
export { byteModel, type ByteModel } from "./patching/byte-model.js";
