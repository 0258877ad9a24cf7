export { llama2cTokenizer } from "./llama2c-tokenizer.js";
export type { EncodeOptions, StreamingDecoder, Tokenizer } from "./tokenizer.js";
