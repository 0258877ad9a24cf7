import { serve } from "@qkv/worker/serve";

serve();
