export * from "@qkv/tokenizer";
