export * from "@qkv/tokenizer/english-bytes";
