export * from "@qkv/tokenizer/tracing";
