export * from "@qkv/tokenizer/patching";
