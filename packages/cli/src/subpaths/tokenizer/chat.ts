export * from "@qkv/tokenizer/chat";
