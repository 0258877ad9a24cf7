export {
  chatTemplate,
  type ChatMessage,
  type ChatTemplate,
  type ChatTemplateOptions,
  type ChatTextOptions,
} from "./chat/chat-template.js";
