export * from "@qkv/tokenizer/training";
