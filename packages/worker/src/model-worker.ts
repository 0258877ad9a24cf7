// The module of a worker with all that it needs. `index.ts` starts it by its address.
import { serve } from "./serve.js";

serve({
  hub: { downloadFile: async (params) => (await import("@huggingface/hub")).downloadFile(params) },
});
