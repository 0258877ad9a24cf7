// The module of the dedicated and the shared worker. `spawn.ts` starts it by its URL.
import { serve } from "./serve.js";

serve({
  hub: { downloadFile: async (params) => (await import("@huggingface/hub")).downloadFile(params) },
});
